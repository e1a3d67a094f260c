"""Keys, consents, legal holds and erasure: counts and record numbers, never clinical data."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db.models import Count, Max, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import Role
from apps.accounts.reauthentication import freshly_authenticated
from apps.jobs.errors import UserError
from apps.patients.erasure import erase, holds, lift_hold, place_hold
from apps.patients.models import ConsentState, Patient, Purpose, RetentionHold
from apps.patients.portal_account import link_account
from apps.patients.queries import with_identity
from apps.portal.admin.forms import EraseForm, FindForm, HoldForm, LoginForm
from apps.portal.admin.labels import table_name
from apps.protection.keyring import keyring
from apps.protection.models import DataKey, Reencryption
from apps.protection.records import sealed_models


@role_required(Role.ADMIN)
@require_GET
def keys(request: HttpRequest) -> HttpResponse:
    """Show the keys, their age, and what depends on them."""
    ring = keyring()
    active = DataKey.objects.filter(destroyed_at=None)
    context = {
        "masters": [(key_id, active.filter(master_id=key_id).count()) for key_id in reversed(ring.master_ids)],
        "index_ids": ring.index_ids,
        "living": active.aggregate(number=Count("pk"), oldest=Min("renewed_at"), newest=Max("renewed_at")),
        "destroyed": DataKey.objects.exclude(destroyed_at=None).count(),
        "run": Reencryption.objects.order_by("-pk").first(),
        "tables": [(table_name(model), model._base_manager.count()) for model in sealed_models()],
        "now": timezone.now(),
    }
    return render(request, "portal/admin/keys.html", context)


@role_required(Role.ADMIN)
@require_GET
def consents(request: HttpRequest) -> HttpResponse:
    """Show how many patients gave or withdrew consent, by purpose."""
    table = []
    for purpose in Purpose:
        column = f"consent_{purpose.value}"
        counts = dict(Patient.objects.order_by().values_list(column).annotate(Count("pk")))
        table.append((purpose.label, [counts.get(state.value, 0) for state in ConsentState]))
    context = {"table": table, "states": [state.label for state in ConsentState]}
    return render(request, "portal/admin/consents.html", context)


@role_required(Role.ADMIN)
@freshly_authenticated
@require_http_methods(["GET", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """Find a record by the exact MRN given in a patient's request."""
    form = FindForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        patient = with_identity(form.cleaned_data["mrn"], form.cleaned_data["issuer"])
        if patient is not None:
            return redirect("portal:admin-record", patient.pk)
        form.add_error(None, _("No record has exactly this MRN and issuer."))
    held = RetentionHold.objects.filter(lifted_at=None).values("patient").distinct().count()
    context = {"form": form, "held": held}
    return render(request, "portal/admin/find.html", context, status=422 if form.errors else 200)


@role_required(Role.ADMIN)
@freshly_authenticated
@require_http_methods(["GET", "POST"])
def record(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a record's account, holds and the extent of an erasure; erase it after the MRN is typed again."""
    patient = get_object_or_404(Patient, pk=pk)
    form = EraseForm(request.POST if "erase" in request.POST else None)
    if form.is_bound and form.is_valid():
        if form.cleaned_data["mrn"].strip() != patient.mrn:
            form.add_error("mrn", _("This does not match the record's MRN."))
        else:
            try:
                erased = erase(patient, actor=signed_in(request))
            except UserError as reason:
                form.add_error(None, str(reason))
            else:
                text = _(
                    "Record %(record)s has been erased: %(rows)s rows and %(blobs)s encrypted files. "
                    "Its key has been destroyed."
                )
                messages.success(request, text % erased.__dict__)
                return redirect("portal:admin-records")
    login = patient.portal_user
    context = {
        "patient": patient,
        "form": form,
        "hold_form": HoldForm(),
        "login_form": LoginForm(initial={"username": login.username if login else ""}),
        "holds": holds(patient),
        "studies": patient.studies.count(),
        "images": sum(study.images for study in patient.studies.annotate(images=Count("series__instances"))),
    }
    return render(request, "portal/admin/record.html", context, status=422 if form.errors else 200)


@role_required(Role.ADMIN)
@freshly_authenticated
@require_POST
def hold(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Place a legal hold on a record."""
    form = HoldForm(request.POST)
    if form.is_valid():
        place_hold(get_object_or_404(Patient, pk=pk), form.cleaned_data["reason"], actor=signed_in(request))
        messages.success(request, _("The record is under legal hold and cannot be erased until the hold is lifted."))
    else:
        messages.error(request, _("State why the record must be kept."))
    return redirect("portal:admin-record", pk)


@role_required(Role.ADMIN)
@freshly_authenticated
@require_POST
def login(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Link the record to a patient's account, or to none."""
    form = LoginForm(request.POST)
    patient = get_object_or_404(Patient, pk=pk)
    if form.is_valid():
        try:
            link_account(patient, form.cleaned_data["username"], actor=signed_in(request))
        except UserError as reason:
            messages.error(request, str(reason))
        else:
            messages.success(request, _("The patient's login account has been saved."))
    else:
        messages.error(request, str(form.errors["username"][0]))
    return redirect("portal:admin-record", pk)


@role_required(Role.ADMIN)
@freshly_authenticated
@require_POST
def lift(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Lift a legal hold."""
    hold = get_object_or_404(RetentionHold, pk=pk)
    if lift_hold(hold, actor=signed_in(request)):
        messages.success(request, _("The legal hold has been lifted."))
    return redirect("portal:admin-record", hold.patient_id)

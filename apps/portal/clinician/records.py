"""Pages of a patient record: break-glass access and consent."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import audit
from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS, PHYSICIANS
from apps.inference.routing import route_patient
from apps.jobs.errors import UserError
from apps.patients import break_glass
from apps.patients.access import active_emergencies, visible_to
from apps.patients.consent import record_consent
from apps.patients.models import BreakGlassAccess, ConsentState, Purpose
from apps.portal.clinician.forms import EmergencyForm
from apps.portal.consents import confirm_first, consent_rows
from apps.portal.forms import ConsentForm
from apps.recommendations.queries import of_patient as recommendations_of
from apps.records.queries import of_patient


@role_required(*CLINICIANS)
@require_http_methods(["GET", "POST"])
def emergency(request: HttpRequest) -> HttpResponse:
    """Open a record outside the clinician's care teams, for a stated reason."""
    actor = signed_in(request)
    form = EmergencyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            access = break_glass.open_record(**form.cleaned_data, actor=actor)
        except UserError as reason:
            form.add_error(None, str(reason))
        else:
            messages.warning(
                request, _("You now have access to the record. The care team and the auditors have been notified.")
            )
            return redirect("portal:record", access.patient_id)
    active = active_emergencies(actor).select_related("patient")
    context = {"form": form, "active": active}
    return render(request, "portal/clinician/emergency.html", context, status=422 if form.errors else 200)


@role_required(*CLINICIANS)
@require_POST
def end_emergency(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """End a break-glass access before it expires."""
    access = get_object_or_404(BreakGlassAccess, pk=pk, user=signed_in(request))
    if break_glass.end(access, actor=signed_in(request)):
        messages.success(request, _("Your access to the record has been closed."))
    return redirect("portal:worklist")


@role_required(*CLINICIANS)
@require_http_methods(["GET", "POST"])
def record(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a patient's studies and consents; physicians record the patient's consent."""
    actor = signed_in(request)
    patient = get_object_or_404(visible_to(actor), pk=pk)
    if request.method == "POST" and actor.role in PHYSICIANS:
        form = ConsentForm(request.POST)
        if form.is_valid():
            purpose, state = Purpose(form.cleaned_data["purpose"]), ConsentState(int(form.cleaned_data["state"]))
            if (question := confirm_first(request, purpose, state, request.path)) is not None:
                return question
            consent = record_consent(patient, purpose, state, actor=actor)
            if consent and (purpose, state) == (Purpose.AI, ConsentState.GIVEN):
                route_patient(patient)
            messages.success(request, _("Recorded."))
            visible = visible_to(actor).filter(pk=pk).exists()
            return redirect("portal:record", pk) if visible else redirect("portal:worklist")
    audit.record(actor, "record.opened", patient, why="treatment")
    context = {
        "patient": patient,
        "cases": of_patient(actor, patient.pk),
        "recommendations": [row for row in recommendations_of(actor, patient) if row.is_open][:6],
        "studies": patient.studies.order_by("-received_at")[:100],
        "consents": consent_rows(patient),
        "may_record": actor.role in PHYSICIANS,
        "emergency": active_emergencies(actor).filter(patient=patient).first(),
    }
    return render(request, "portal/clinician/record.html", context)

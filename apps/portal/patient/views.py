"""The patient's page."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.accounts import audit
from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import Role
from apps.accounts.queries import looks_at
from apps.explainability.access import visible_told
from apps.inference.routing import route_patient
from apps.patients.access import visible_to
from apps.patients.consent import record_consent
from apps.patients.models import ConsentState, Patient, Purpose
from apps.portal.consents import confirm_first, consent_rows
from apps.portal.forms import ConsentForm
from apps.protection.models import holder_name


@role_required(Role.PATIENT)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Who the patient is here; results follow once a doctor has released them."""
    actor = signed_in(request)
    record = visible_to(actor).prefetch_related("care_teams").first()
    if record is not None:
        audit.record(actor, "record.opened_by_patient", record)
    closed = record is None and Patient.objects.filter(portal_user=actor).exists()
    context = {
        "record": record,
        "closed": closed,
        "consents": consent_rows(record) if record else [],
        "results": list(visible_told(actor)) if record else [],
        "looks": list(looks_at(holder_name(record.pk))[:50]) if record else [],
    }
    return render(request, "portal/patient/home.html", context)


@role_required(Role.PATIENT)
@require_POST
def consent(request: HttpRequest) -> HttpResponse:
    """The patient gives or withdraws consent to one purpose; what was closed can be opened again."""
    actor = signed_in(request)
    record = Patient.objects.filter(portal_user=actor).first()
    form = ConsentForm(request.POST)
    if record is None or not form.is_valid():
        raise Http404
    purpose, state = Purpose(form.cleaned_data["purpose"]), ConsentState(int(form.cleaned_data["state"]))
    if (question := confirm_first(request, purpose, state, reverse("portal:patient"))) is not None:
        return question
    if record_consent(record, purpose, state, actor=actor):
        if purpose == Purpose.AI and state == ConsentState.GIVEN:
            route_patient(record)
        messages.success(request, _("Recorded. It holds from now on."))
    return redirect("portal:patient")

"""The patient's start page and record."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.accounts import audit
from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import Role
from apps.accounts.queries import looks_at
from apps.contact import mail
from apps.contact.access import visible_appointments, visible_questions
from apps.contact.models import EmailPreference
from apps.explainability.patient_release import released_explanations
from apps.inference.routing import route_patient
from apps.jobs.errors import UserError
from apps.patients.access import visible_to
from apps.patients.consent import record_consent
from apps.patients.models import ConsentState, Patient, Purpose
from apps.portal.consents import confirm_first, consent_rows
from apps.portal.forms import ConsentForm
from apps.protection.models import holder_name
from apps.recommendations.queries import of_patient
from apps.reports.patient_release import released_reports

SOME_LOOKS = 50
TYPE_COOKIE = "type"
YEAR = 365 * 24 * 3600


def own_record(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of the patient's own record; without one, or with the page closed, the start page says so."""

    @role_required(Role.PATIENT)
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        record = visible_to(signed_in(request)).first()
        if record is None:
            return redirect("portal:patient")
        return view(request, record, *args, **kwargs)

    return guarded


@role_required(Role.PATIENT)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What the patient can do, and what is new."""
    actor = signed_in(request)
    record = visible_to(actor).prefetch_related("care_teams").first()
    if record is None:
        closed = Patient.objects.filter(portal_user=actor).exists()
        return render(request, "portal/patient/closed.html", {"closed": closed})
    audit.record(actor, "record.opened_by_patient", record)
    rows = of_patient(actor, record)
    coming = visible_appointments(actor).filter(patient=record, starts_at__gte=timezone.now())
    context = {
        "record": record,
        "open": [row for row in rows if row.is_open],
        "over": [row for row in rows if not row.is_open][:20],
        "appointment": coming.exclude(state="cancelled").first(),
        "news": actor.notices.filter(read_at=None)[:5],
        "results": len(released_explanations(actor)) + len(released_reports(actor)),
        "answered": visible_questions(actor).filter(patient=record, answered_at__isnull=False).exists(),
    }
    return render(request, "portal/patient/home.html", context)


@own_record
@require_GET
def record(request: HttpRequest, own: Patient) -> HttpResponse:
    """Who the patient is here, consents, who looked, e-mail, type size, download."""
    context = {
        "record": own,
        "teams": list(own.care_teams.all()),
        "consents": consent_rows(own),
        "looks": list(looks_at(holder_name(own.pk))[:SOME_LOOKS]),
        "mails": settings.MAILS,
        "wish": EmailPreference.objects.filter(patient=own).first(),
        "large": request.COOKIES.get(TYPE_COOKIE) == "large",
    }
    return render(request, "portal/patient/record.html", context)


@role_required(Role.PATIENT)
@require_POST
def consent(request: HttpRequest) -> HttpResponse:
    """The patient gives or withdraws consent to one purpose; what was closed can be opened again."""
    actor = signed_in(request)
    own = Patient.objects.filter(portal_user=actor).first()
    form = ConsentForm(request.POST)
    if own is None or not form.is_valid():
        raise Http404
    purpose, state = Purpose(form.cleaned_data["purpose"]), ConsentState(int(form.cleaned_data["state"]))
    if (question := confirm_first(request, purpose, state, reverse("portal:patient-record"))) is not None:
        return question
    if record_consent(own, purpose, state, actor=actor):
        if purpose == Purpose.AI and state == ConsentState.GIVEN:
            route_patient(own)
        messages.success(request, _("Recorded. It takes effect immediately."))
    return redirect("portal:patient-record")


@own_record
@require_POST
def address(request: HttpRequest, own: Patient) -> HttpResponse:
    """Where the patient wants to be told that there is something new."""
    try:
        wish = mail.wish(own, request.POST.get("address", "")[:254], actor=signed_in(request))
    except UserError as refusal:
        messages.error(request, str(refusal))
    else:
        if wish is None:
            messages.success(request, _("You will receive no more e-mails."))
        elif wish.confirmed_at is None:
            messages.success(
                request, _("We have sent you an e-mail with a link. Open the link to confirm your address.")
            )
    return redirect("portal:patient-record")


@role_required(Role.PATIENT)
@require_POST
def type_size(request: HttpRequest) -> HttpResponse:
    """Large type, kept on this device."""
    answer = redirect("portal:patient-record")
    if request.POST.get("type") == "large":
        answer.set_cookie(TYPE_COOKIE, "large", max_age=YEAR, samesite="Lax", secure=request.is_secure(), httponly=True)
    else:
        answer.delete_cookie(TYPE_COOKIE, samesite="Lax")
    return answer

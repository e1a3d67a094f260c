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
from apps.accounts.queries import record_accesses
from apps.contact import mail
from apps.contact.access import visible_appointments, visible_questions
from apps.contact.models import EmailPreference
from apps.explainability.explanation_release import released_explanations
from apps.inference.routing import route_patient
from apps.jobs.errors import UserError
from apps.patients.access import visible_to
from apps.patients.consent import record_consent
from apps.patients.models import ConsentState, Patient, Purpose
from apps.portal.consents import confirm_first, consent_rows
from apps.portal.forms import ConsentForm
from apps.protection.models import holder_name
from apps.recommendations.queries import of_patient
from apps.reports.report_release import released_reports

MAX_SHOWN_ACCESSES = 50
TYPE_COOKIE = "type"
YEAR = 365 * 24 * 3600


def own_record(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Pass the patient's own record to a view; without access, redirect to the start page, which explains."""

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
    """Show the patient's start page: open recommendations, next appointment, news."""
    actor = signed_in(request)
    record = visible_to(actor).prefetch_related("care_teams").first()
    if record is None:
        closed = Patient.objects.filter(portal_user=actor).exists()
        return render(request, "portal/patient/closed.html", {"closed": closed})
    audit.record(actor, "record.opened_by_patient", record)
    rows = of_patient(actor, record)
    upcoming = visible_appointments(actor).filter(patient=record, starts_at__gte=timezone.now())
    context = {
        "record": record,
        "open": [row for row in rows if row.is_open],
        "over": [row for row in rows if not row.is_open][:20],
        "appointment": upcoming.exclude(state="cancelled").first(),
        "news": actor.notices.filter(read_at=None)[:5],
        "results": len(released_explanations(actor)) + len(released_reports(actor)),
        "answered": visible_questions(actor).filter(patient=record, answered_at__isnull=False).exists(),
    }
    return render(request, "portal/patient/home.html", context)


@own_record
@require_GET
def record(request: HttpRequest, own: Patient) -> HttpResponse:
    """Show the patient's identity, consents, accesses, e-mail, type size and downloads."""
    context = {
        "record": own,
        "teams": list(own.care_teams.all()),
        "consents": consent_rows(own),
        "looks": list(record_accesses(holder_name(own.pk))[:MAX_SHOWN_ACCESSES]),
        "mails": settings.MAILS,
        "wish": EmailPreference.objects.filter(patient=own).first(),
        "large": request.COOKIES.get(TYPE_COOKIE) == "large",
    }
    return render(request, "portal/patient/record.html", context)


@role_required(Role.PATIENT)
@require_POST
def consent(request: HttpRequest) -> HttpResponse:
    """Give or withdraw consent to one purpose; also works while the portal is closed, to reopen it."""
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
    """Set the address for e-mail notifications."""
    try:
        preference = mail.set_email_preference(own, request.POST.get("address", "")[:254], actor=signed_in(request))
    except UserError as refusal:
        messages.error(request, str(refusal))
    else:
        if preference is None:
            messages.success(request, _("You will receive no more e-mails."))
        elif preference.confirmed_at is None:
            messages.success(
                request, _("We have sent you an e-mail with a link. Open the link to confirm your address.")
            )
    return redirect("portal:patient-record")


@role_required(Role.PATIENT)
@require_POST
def type_size(request: HttpRequest) -> HttpResponse:
    """Set large or normal type; stored in a cookie on this device."""
    response = redirect("portal:patient-record")
    if request.POST.get("type") == "large":
        response.set_cookie(
            TYPE_COOKIE, "large", max_age=YEAR, samesite="Lax", secure=request.is_secure(), httponly=True
        )
    else:
        response.delete_cookie(TYPE_COOKIE, samesite="Lax")
    return response

"""The patient's pages for recommendations, appointments and questions."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.actors import signed_in
from apps.contact import appointments, patient_messages
from apps.contact.access import visible_appointments, visible_questions
from apps.contact.calendar import calendar
from apps.contact.models import AppointmentState
from apps.jobs.errors import UserError
from apps.patients.models import Patient
from apps.portal.patient.views import own_record
from apps.recommendations import patient_response
from apps.recommendations.access import visible_to
from apps.recommendations.queries import grounds

ANSWERS = ("accepted", "declined", "done")


@own_record
@require_GET
def recommendation(request: HttpRequest, own: Patient, pk: uuid.UUID) -> HttpResponse:
    """Show a recommendation with its reasons and who released it; opening it marks it as seen."""
    actor = signed_in(request)
    row = get_object_or_404(visible_to(actor).select_related("item", "patient", "released_by"), pk=pk)
    patient_response.see(row, actor=actor)
    return render(request, "portal/patient/recommendation.html", {"row": row, "grounds": grounds(row)})


@own_record
@require_POST
def answer(request: HttpRequest, own: Patient, pk: uuid.UUID) -> HttpResponse:
    """Accept, decline with a reason, mark as done, or rate a recommendation."""
    actor = signed_in(request)
    row = get_object_or_404(visible_to(actor).select_related("item", "patient"), pk=pk)
    act = request.POST.get("act", "")
    try:
        if act in ANSWERS:
            patient_response.answer(row, act, actor=actor, reason=request.POST.get("reason", ""))
        elif act in ("helpful", "not_helpful"):
            patient_response.rate(row, act == "helpful", actor=actor)
        else:
            raise Http404
        messages.success(request, _("Thank you. Your care team can see your answer."))
    except UserError as refusal:
        messages.error(request, str(refusal))
    return redirect("portal:patient-recommendation", pk)


@own_record
@require_GET
def appointment_list(request: HttpRequest, own: Patient) -> HttpResponse:
    """List upcoming and past appointments."""
    rows = visible_appointments(signed_in(request)).filter(patient=own)
    now = timezone.now()
    context = {
        "coming": rows.filter(starts_at__gte=now),
        "past": rows.filter(starts_at__lt=now).order_by("-starts_at")[:20],
    }
    return render(request, "portal/patient/appointments.html", context)


@own_record
@require_POST
def appointment_reply(request: HttpRequest, own: Patient, pk: uuid.UUID) -> HttpResponse:
    """Confirm or decline an appointment."""
    row = get_object_or_404(visible_appointments(signed_in(request)), pk=pk, patient=own)
    try:
        appointments.reply(row, request.POST.get("coming") == "yes", actor=signed_in(request))
        messages.success(request, _("Thank you. Your care team has been notified."))
    except UserError as refusal:
        messages.error(request, str(refusal))
    return redirect("portal:patient-appointments")


@own_record
@require_GET
def appointment_file(request: HttpRequest, own: Patient, pk: uuid.UUID) -> HttpResponse:
    """Download an appointment as iCalendar (RFC 5545)."""
    row = get_object_or_404(visible_appointments(signed_in(request)), pk=pk, patient=own)
    content = calendar(
        uid=str(row.pk),
        revision=row.revision,
        title=row.title,
        place=row.place,
        starts_at=row.starts_at,
        minutes=row.minutes,
        changed_at=timezone.now(),
        cancelled=row.state == AppointmentState.CANCELLED,
    )
    name = f"appointment-{row.starts_at:%Y-%m-%d}.ics"
    return HttpResponse(
        content,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@own_record
@require_http_methods(["GET", "POST"])
def question_page(request: HttpRequest, own: Patient) -> HttpResponse:
    """Ask the care team a question; the text is kept in the form if it cannot be sent."""
    actor = signed_in(request)
    typed, status = "", 200
    if request.method == "POST":
        try:
            patient_messages.ask(own, request.POST.get("text", ""), actor=actor)
            messages.success(request, _("Sent. Your care team will answer here."))
            return redirect("portal:patient-questions")
        except UserError as refusal:
            messages.error(request, str(refusal))
            typed, status = request.POST.get("text", ""), 422
    rows = visible_questions(actor).filter(patient=own)[:50]
    context = {"questions": rows, "typed": typed, "longest": patient_messages.MAX_QUESTION_CHARACTERS}
    return render(request, "portal/patient/questions.html", context, status=status)

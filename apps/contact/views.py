"""The care team's inbox: questions and appointments."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts import audit
from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS
from apps.accounts.untrusted_input import whole_number
from apps.contact import appointments, mail, patient_messages
from apps.contact.access import visible_appointments, visible_questions
from apps.contact.forms import BookForm, MoveForm
from apps.jobs.errors import UserError
from apps.patients.access import visible_to


@role_required(*CLINICIANS)
@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """Show unanswered questions, oldest first, and upcoming appointments."""
    actor = signed_in(request)
    waiting = list(visible_questions(actor).filter(answered_at=None).order_by("asked_at")[:50])
    coming = list(visible_appointments(actor).filter(starts_at__gte=timezone.now()).exclude(state="cancelled")[:50])
    audit.record(actor, "inbox.opened", why="treatment", rows=len(waiting) + len(coming))
    return render(request, "contact/inbox.html", {"waiting": waiting, "coming": coming})


@role_required(*CLINICIANS)
@require_POST
def answer(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Answer a question."""
    actor = signed_in(request)
    question = get_object_or_404(visible_questions(actor), pk=pk)
    try:
        patient_messages.answer(question, request.POST.get("text", ""), actor=actor)
        messages.success(request, _("Answered. The patient has been notified."))
    except UserError as refusal:
        messages.error(request, str(refusal))
    return redirect("contact:inbox")


@role_required(*CLINICIANS)
@require_http_methods(["GET", "POST"])
def book(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """List a patient's appointments and book a new one."""
    actor = signed_in(request)
    patient = get_object_or_404(visible_to(actor), pk=pk)
    form = BookForm(request.POST or None, initial={"title": request.GET.get("for", "")[:200]})
    if request.method == "POST" and form.is_valid():
        try:
            appointments.book(patient, actor=actor, **form.cleaned_data)
        except UserError as refusal:
            form.add_error("starts_at", str(refusal))
        else:
            messages.success(request, _("Booked. The patient has been notified."))
            return redirect("contact:book", pk)
    audit.record(actor, "record.opened", patient, why="treatment", part="appointments")
    rows = visible_appointments(actor).filter(patient=patient).order_by("-starts_at")[:50]
    context = {"patient": patient, "form": form, "appointments": rows}
    return render(request, "contact/appointments.html", context, status=422 if form.errors else 200)


@role_required(*CLINICIANS)
@require_POST
def change(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Move or cancel an appointment."""
    actor = signed_in(request)
    row = get_object_or_404(visible_appointments(actor), pk=pk)
    form = MoveForm(request.POST)
    revision = whole_number(request.POST.get("revision"), default=None)
    if revision is None:
        raise Http404
    try:
        if request.POST.get("act") == "cancel":
            appointments.cancel(row, revision=revision, actor=actor)
            messages.success(request, _("Cancelled. The patient has been notified."))
        elif form.is_valid():
            appointments.move(row, form.cleaned_data["starts_at"], revision=revision, actor=actor)
            messages.success(request, _("Rescheduled. The patient has been notified."))
        else:
            messages.error(request, _("Enter a valid date and time."))
    except UserError as refusal:
        messages.error(request, str(refusal))
    return redirect("contact:book", row.patient_id)


@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm an e-mail address. Requires a button, because e-mail programs open links automatically."""
    problem = ""
    done = False
    if request.method == "POST":
        try:
            mail.confirm(token)
            done = True
        except UserError as refusal:
            problem = str(refusal)
    return render(request, "contact/confirm.html", {"done": done, "problem": problem}, status=422 if problem else 200)

"""Patients ask, care teams answer."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import CLINICIANS, User
from apps.accounts.notifications import notify
from apps.contact.access import require_care, require_self
from apps.contact.mail import notify_patient
from apps.contact.models import Question
from apps.jobs.errors import UserError
from apps.patients.models import Patient

LONGEST = 2000
MOST_OPEN = 5


def ask(patient: Patient, text: str, *, actor: User) -> Question:
    """Ask the care team; its clinicians are told.

    Raises:
        PermissionError: if it is not the patient's own record.
        UserError: ``question_empty`` or ``question_many``.
    """
    require_self(actor, patient)
    if not text.strip():
        raise UserError("question_empty")
    with transaction.atomic():
        waiting = list(Question.objects.select_related("patient").filter(patient=patient, answered_at=None))
        for known in waiting:
            if known.text == text.strip()[:LONGEST]:
                return known  # a double click
        if len(waiting) >= MOST_OPEN:
            raise UserError("question_many", number=len(waiting))
        question = Question(patient=patient)
        question.text = text.strip()[:LONGEST]
        question.save(force_insert=True)
        audit.record(actor, "question.asked", question)
        team = User.objects.filter(care_teams__in=patient.care_teams.all(), role__in=CLINICIANS, is_active=True)
        notify(team.distinct(), "question_asked")
    return question


def answer(question: Question, text: str, *, actor: User) -> Question:
    """Answer; the patient is told.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: ``question_empty`` or ``question_answered``: what two wrote is not mixed up.
    """
    require_care(actor, question.patient)
    if not text.strip():
        raise UserError("question_empty")
    with transaction.atomic():
        now = Question.objects.select_for_update(of=("self",)).select_related("patient").get(pk=question.pk)
        if now.answered_at is not None:
            raise UserError("question_answered")
        now.answer, now.answered_by, now.answered_at = text.strip()[: 2 * LONGEST], actor, timezone.now()
        now.save()
        audit.record(actor, "question.answered", now, why="treatment")
        notify_patient(now.patient, "question_answer")
    return now

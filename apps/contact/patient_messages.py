"""Questions from patients and answers from care teams."""

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

MAX_QUESTION_CHARACTERS = 2000
MAX_OPEN_QUESTIONS = 5


def ask(patient: Patient, text: str, *, actor: User) -> Question:
    """Send a question to the care team and notify its clinicians.

    Raises:
        PermissionError: if it is not the patient's own record.
        UserError: ``question_empty`` or ``question_many``.
    """
    require_self(actor, patient)
    if not text.strip():
        raise UserError("question_empty")
    with transaction.atomic():
        waiting = list(Question.objects.select_related("patient").filter(patient=patient, answered_at=None))
        for previous in waiting:
            if previous.text == text.strip()[:MAX_QUESTION_CHARACTERS]:
                return previous  # a double click
        if len(waiting) >= MAX_OPEN_QUESTIONS:
            raise UserError("question_many", number=len(waiting))
        question = Question(patient=patient)
        question.text = text.strip()[:MAX_QUESTION_CHARACTERS]
        question.save(force_insert=True)
        audit.record(actor, "question.asked", question)
        team = User.objects.filter(care_teams__in=patient.care_teams.all(), role__in=CLINICIANS, is_active=True)
        notify(team.distinct(), "question_asked")
    return question


def answer(question: Question, text: str, *, actor: User) -> Question:
    """Answer a question and notify the patient.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: ``question_empty`` or ``question_answered`` if someone has answered already.
    """
    require_care(actor, question.patient)
    if not text.strip():
        raise UserError("question_empty")
    with transaction.atomic():
        locked = Question.objects.select_for_update(of=("self",)).select_related("patient").get(pk=question.pk)
        if locked.answered_at is not None:
            raise UserError("question_answered")
        locked.answer, locked.answered_by, locked.answered_at = (
            text.strip()[: 2 * MAX_QUESTION_CHARACTERS],
            actor,
            timezone.now(),
        )
        locked.save()
        audit.record(actor, "question.answered", locked, why="treatment")
        notify_patient(locked.patient, "question_answer")
    return locked

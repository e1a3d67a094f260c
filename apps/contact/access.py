"""Who may see and answer: the clinicians who may see the patient, and the patient."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.contact.models import Appointment, Question
from apps.patients.access import can, visible_patient_filter
from apps.patients.models import Patient


def visible_appointments(actor: Actor | None) -> QuerySet[Appointment]:
    """Appointments of patients whom the actor may view: clinicians theirs, patients their own."""
    return Appointment.objects.filter(visible_patient_filter(actor, "patient_id")).select_related(
        "patient", "care_team"
    )


def visible_questions(actor: Actor | None) -> QuerySet[Question]:
    """The same of questions."""
    return Question.objects.filter(visible_patient_filter(actor, "patient_id")).select_related("patient", "answered_by")


def require_care(actor: Any, patient: Patient) -> None:
    """For what clinicians do.

    Raises:
        PermissionError: if the actor does not care for the patient.
    """
    if not can(actor, "patients.care_for_patient", patient):
        raise PermissionError("only clinicians of the patient do this")


def require_self(actor: Any, patient: Patient) -> None:
    """For what patients do.

    Raises:
        PermissionError: if it is not the actor's own record.
    """
    if patient.portal_user_id != getattr(actor, "pk", None) or not can(actor, "patients.view_patient", patient):
        raise PermissionError("only the patient does this")

"""Access policy for appointments and questions: clinicians who may see the patient, and the patient."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.contact.models import Appointment, Question
from apps.patients.access import can, visible_patient_filter
from apps.patients.models import Patient


def visible_appointments(actor: Actor | None) -> QuerySet[Appointment]:
    """Return the appointments of patients whom the actor may view; patients see their own."""
    return Appointment.objects.filter(visible_patient_filter(actor, "patient_id")).select_related(
        "patient", "care_team"
    )


def visible_questions(actor: Actor | None) -> QuerySet[Question]:
    """Return the questions of patients whom the actor may view; patients see their own."""
    return Question.objects.filter(visible_patient_filter(actor, "patient_id")).select_related("patient", "answered_by")


def require_care(actor: Any, patient: Patient) -> None:
    """Require a clinician who cares for the patient.

    Raises:
        PermissionError: if the actor does not care for the patient.
    """
    if not can(actor, "patients.care_for_patient", patient):
        raise PermissionError("only clinicians who care for the patient may do this")


def require_self(actor: Any, patient: Patient) -> None:
    """Require the patient whose record it is.

    Raises:
        PermissionError: if it is not the actor's own record.
    """
    if patient.portal_user_id != getattr(actor, "pk", None) or not can(actor, "patients.view_patient", patient):
        raise PermissionError("only the patient may do this")

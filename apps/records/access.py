"""Access policy for cases: clinicians who may see the patient."""

from __future__ import annotations

from typing import Any

import rules
from django.db.models import Q, QuerySet

from apps.accounts.access import is_clinician, is_physician, is_system
from apps.accounts.actors import Actor, System
from apps.accounts.models import CLINICIANS, User
from apps.jobs.errors import Refusal
from apps.patients.access import can as can_patient
from apps.patients.access import permits, visible_patient_filter
from apps.patients.models import Patient, Purpose
from apps.records.models import Case


@rules.predicate
def cares_for(actor: Any, case: Case) -> bool:
    return can_patient(actor, "patients.care_for_patient", case.patient)


rules.add_perm("records.view_case", is_system | (is_clinician & cares_for))
rules.add_perm("records.decide_case", is_physician & cares_for)


def can(actor: Actor | None, permission: str, case: Case) -> bool:
    """Return whether the actor has the permission; always False without an actor."""
    return actor is not None and bool(rules.has_perm(permission, actor, case))


def visible_to(actor: Actor | None) -> QuerySet[Case]:
    """Return the cases that this actor may view, consistent with :func:`can`."""
    return Case.objects.filter(visible_filter(actor))


def visible_filter(actor: Actor | None, path: str = "") -> Q:
    """Return the visibility condition for rows; ``path`` is the lookup prefix to the case: ``"note__case__"``."""
    clinical = isinstance(actor, System) or getattr(actor, "role", None) in CLINICIANS
    return visible_patient_filter(actor, f"{path}patient_id") if clinical else Q(pk__in=[])


def require(actor: Actor | None, permission: str, case: Case) -> None:
    """Require a permission on a case.

    Raises:
        PermissionError: if the actor does not have it.
    """
    if not can(actor, permission, case):
        raise PermissionError(f"{permission} needs a clinician who cares for the patient")


def models_permitted(patient: Patient) -> bool:
    """Return whether the patient consents to analysis by models."""
    return permits(patient, Purpose.AI)


def require_ai_consent(case: Case) -> None:
    """Check consent before and after a job runs.

    Raises:
        Refusal: ``no_ai_consent`` if the patient does not consent to analysis by models.
    """
    if not models_permitted(case.patient):
        raise Refusal("no_ai_consent")


def colleagues(case: Case) -> QuerySet[User]:
    """Return the clinicians of the patient's care teams, who can be assigned, mentioned and handed over to."""
    teams = case.patient.care_teams.all()
    return (
        User.objects.filter(care_teams__in=teams, role__in=CLINICIANS, is_active=True).distinct().order_by("username")
    )

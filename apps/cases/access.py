"""Who may see and work on a case: the clinicians who may see its patient."""

from __future__ import annotations

from typing import Any

import rules
from django.db.models import Q, QuerySet

from apps.accounts.access import is_clinician, is_physician, is_system
from apps.accounts.actors import Actor, System
from apps.accounts.models import CLINICIANS, User
from apps.cases.models import Case
from apps.patients.access import can as can_patient
from apps.patients.access import permits, visible_patient_filter
from apps.patients.models import Patient, Purpose


@rules.predicate
def cares_for(actor: Any, case: Case) -> bool:
    return can_patient(actor, "patients.care_for_patient", case.patient)


rules.add_perm("cases.view_case", is_system | (is_clinician & cares_for))
rules.add_perm("cases.decide_case", is_physician & cares_for)


def can(actor: Actor | None, permission: str, case: Case) -> bool:
    """Whether the actor may; nobody may nothing."""
    return actor is not None and bool(rules.has_perm(permission, actor, case))


def visible_to(actor: Actor | None) -> QuerySet[Case]:
    """The cases that :func:`can` lets this actor view."""
    return Case.objects.filter(visible_filter(actor))


def visible_filter(actor: Actor | None, path: str = "") -> Q:
    """The same as a condition for rows whose ``path`` leads to the case: ``"note__case__"``."""
    clinical = isinstance(actor, System) or getattr(actor, "role", None) in CLINICIANS
    return visible_patient_filter(actor, f"{path}patient_id") if clinical else Q(pk__in=[])


def require(actor: Actor | None, permission: str, case: Case) -> None:
    """For verbs.

    Raises:
        PermissionError: if the actor may not.
    """
    if not can(actor, permission, case):
        raise PermissionError(f"{permission} needs a clinician who cares for the patient")


def models_permitted(patient: Patient) -> bool:
    """Whether the patient consents to analysis by models."""
    return permits(patient, Purpose.AI)


def colleagues(case: Case) -> QuerySet[User]:
    """The clinicians of the patient's care teams: who can be assigned, mentioned, handed over to."""
    teams = case.patient.care_teams.all()
    return (
        User.objects.filter(care_teams__in=teams, role__in=CLINICIANS, is_active=True).distinct().order_by("username")
    )

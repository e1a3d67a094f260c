"""Who may see which study: the doctors who may see its patient. Nothing of it is a patient's before release."""

from __future__ import annotations

from typing import Any

import rules
from django.db.models import Q, QuerySet

from apps.accounts.access import is_doctor, is_system
from apps.accounts.actors import Actor, System
from apps.accounts.models import Role
from apps.imaging.models import HeldFile, Study
from apps.patients.access import can as can_patient
from apps.patients.access import visible_patient_filter


@rules.predicate
def sees_patient(actor: Any, record: Study | HeldFile) -> bool:
    return can_patient(actor, "patients.care_for_patient", record.patient)


rules.add_perm("imaging.view_study", is_system | (is_doctor & sees_patient))
rules.add_perm("imaging.decide_heldfile", is_doctor & sees_patient)
rules.add_perm("imaging.upload", is_system | is_doctor)


def can(actor: Actor | None, permission: str, record: Study | HeldFile | None = None) -> bool:
    """Whether the actor may; nobody may nothing."""
    return actor is not None and bool(rules.has_perm(permission, actor, record))


def visible_study_filter(actor: Actor | None, patient_field: str = "patient_id") -> Q:
    """The condition under which a row with this path to a patient is visible as imaging."""
    clinical = isinstance(actor, System) or getattr(actor, "role", None) == Role.DOCTOR
    return visible_patient_filter(actor, patient_field) if clinical else Q(pk__in=[])


def visible_to(actor: Actor | None) -> QuerySet[Study]:
    """The studies that :func:`can` lets this actor view."""
    return Study.objects.filter(visible_study_filter(actor))


def held_visible_to(actor: Actor | None) -> QuerySet[HeldFile]:
    """The files put aside on which this actor may decide."""
    return HeldFile.objects.filter(visible_study_filter(actor))

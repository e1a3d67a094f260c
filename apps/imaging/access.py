"""Who may see which study: the clinicians who may see its patient. Nothing of it is a patient's before release."""

from __future__ import annotations

from typing import Any

import rules
from django.db.models import Q, QuerySet

from apps.accounts.access import is_clinician, is_physician, is_researcher, is_system
from apps.accounts.actors import Actor, System
from apps.accounts.models import CLINICIANS
from apps.imaging.models import DeidentifiedExport, QuarantinedFile, Study
from apps.patients.access import can as can_patient
from apps.patients.access import permitted_filter, visible_patient_filter
from apps.patients.models import Purpose


@rules.predicate
def sees_patient(actor: Any, record: Study | QuarantinedFile) -> bool:
    return can_patient(actor, "patients.care_for_patient", record.patient)


rules.add_perm("imaging.view_study", is_system | (is_clinician & sees_patient))
rules.add_perm("imaging.decide_heldfile", is_physician & sees_patient)
rules.add_perm("imaging.deidentify_study", is_physician & sees_patient)
rules.add_perm("imaging.upload", is_system | is_physician)


def can(actor: Actor | None, permission: str, record: Study | QuarantinedFile | None = None) -> bool:
    """Whether the actor may; nobody may nothing."""
    return actor is not None and bool(rules.has_perm(permission, actor, record))


def visible_study_filter(actor: Actor | None, patient_field: str = "patient_id") -> Q:
    """The condition under which a row with this path to a patient is visible as imaging."""
    clinical = isinstance(actor, System) or getattr(actor, "role", None) in CLINICIANS
    return visible_patient_filter(actor, patient_field) if clinical else Q(pk__in=[])


def visible_to(actor: Actor | None) -> QuerySet[Study]:
    """The studies that :func:`can` lets this actor view."""
    return Study.objects.filter(visible_study_filter(actor))


def held_visible_to(actor: Actor | None) -> QuerySet[QuarantinedFile]:
    """The files put aside on which this actor may decide."""
    if not isinstance(actor, System) and not is_physician(actor):
        return QuarantinedFile.objects.none()
    return QuarantinedFile.objects.filter(visible_study_filter(actor))


def releases_visible_to(actor: Actor | None) -> QuerySet[DeidentifiedExport]:
    """De-identified exports: all for researchers, the own ones for physicians; none without consent to research."""
    found = DeidentifiedExport.objects.filter(permitted_filter(Purpose.RESEARCH, "study__patient__"))
    if actor is None or isinstance(actor, System):
        return found if isinstance(actor, System) else found.none()
    if is_researcher(actor):
        return found
    return found.filter(requested_by=actor) if is_physician(actor) else found.none()

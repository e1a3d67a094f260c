"""Access policy for imaging: clinicians who may see the patient. Patients see only what is released to them.

A quarantined file that names no patient is decided on by the physicians who share a care team with the uploader;
administrators may assign it, but see nothing of its content.
"""

from __future__ import annotations

from typing import Any

import rules
from django.db.models import Q, QuerySet

from apps.accounts.access import is_admin, is_clinician, is_physician, is_researcher, is_system
from apps.accounts.actors import Actor, System
from apps.accounts.models import CLINICIANS, PHYSICIANS, CareTeam, Role, User
from apps.imaging.models import DeidentifiedExport, QuarantinedFile, Study
from apps.patients.access import can as can_patient
from apps.patients.access import permitted_filter, visible_patient_filter
from apps.patients.models import Purpose


@rules.predicate
def sees_patient(actor: Any, record: Study | QuarantinedFile) -> bool:
    return record.patient is not None and can_patient(actor, "patients.care_for_patient", record.patient)


@rules.predicate
def is_kept(actor: Any, record: Study) -> bool:
    return getattr(record, "deleted_at", None) is None


@rules.predicate
def names_no_patient(actor: Any, record: QuarantinedFile) -> bool:
    return record.patient_id is None


@rules.predicate
def shares_team_with_uploader(actor: Any, record: QuarantinedFile) -> bool:
    if record.uploaded_by_id is None:
        return False
    shared = CareTeam.objects.filter(members=actor).filter(members=record.uploaded_by_id)
    return record.uploaded_by_id == actor.pk or shared.exists()


_decides = is_physician & (sees_patient | (names_no_patient & shares_team_with_uploader))
rules.add_perm("imaging.view_study", is_kept & (is_system | (is_clinician & sees_patient)))
rules.add_perm("imaging.decide_heldfile", _decides)
rules.add_perm("imaging.assign_heldfile", _decides | (is_admin & names_no_patient))
rules.add_perm("imaging.deidentify_study", is_kept & is_physician & sees_patient)
rules.add_perm("imaging.delete_study", is_kept & (is_system | (is_physician & sees_patient)))
rules.add_perm("imaging.restore_study", is_system | (is_physician & sees_patient))
rules.add_perm("imaging.upload", is_system | is_physician)


def can(actor: Actor | None, permission: str, record: Study | QuarantinedFile | None = None) -> bool:
    """Return whether the actor has the permission; always False without an actor."""
    return actor is not None and bool(rules.has_perm(permission, actor, record))


def visible_study_filter(actor: Actor | None, patient_field: str = "patient_id") -> Q:
    """Return the visibility condition for imaging rows whose ``patient_field`` is the patient's id."""
    clinical = isinstance(actor, System) or getattr(actor, "role", None) in CLINICIANS
    return visible_patient_filter(actor, patient_field) if clinical else Q(pk__in=[])


def visible_to(actor: Actor | None) -> QuerySet[Study]:
    """Return the studies that this actor may view, consistent with :func:`can`."""
    return Study.objects.filter(visible_study_filter(actor))


def quarantined_visible_to(actor: Actor | None) -> QuerySet[QuarantinedFile]:
    """Return the quarantined files that this actor may decide on or assign, consistent with :func:`can`."""
    files = QuarantinedFile.objects.all()
    if isinstance(actor, System):
        return files
    if is_admin(actor):
        return files.filter(patient=None)
    if not is_physician(actor) or actor is None:
        return files.none()
    teammates = User.objects.filter(care_teams__in=CareTeam.objects.filter(members=actor)).values("pk")
    unnamed = Q(patient=None) & (Q(uploaded_by=actor.pk) | Q(uploaded_by__in=teammates))
    return files.filter(visible_study_filter(actor) | unnamed)


def deciders_of(record: QuarantinedFile) -> QuerySet[User]:
    """Return the users whom a quarantined file concerns: those who may decide on it or assign it."""
    active = User.objects.filter(is_active=True)
    if record.patient is not None:
        teams = record.patient.care_teams.all()
        return active.filter(role__in=PHYSICIANS, care_teams__in=teams).distinct()
    teams = CareTeam.objects.filter(members=record.uploaded_by_id)
    return active.filter(Q(role=Role.ADMIN) | Q(role__in=PHYSICIANS, care_teams__in=teams)).distinct()


def exports_visible_to(actor: Actor | None) -> QuerySet[DeidentifiedExport]:
    """Return de-identified exports: all for researchers, their own for physicians; none without consent to research."""
    kept = DeidentifiedExport.objects.filter(study__deleted_at=None)
    exports = kept.filter(permitted_filter(Purpose.RESEARCH, "study__patient__"))
    if actor is None or isinstance(actor, System):
        return exports if isinstance(actor, System) else exports.none()
    if is_researcher(actor):
        return exports
    return exports.filter(requested_by=actor) if is_physician(actor) else exports.none()

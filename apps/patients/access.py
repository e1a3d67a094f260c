"""Who may see which patient: the doctors of the patient's care teams, and the patient."""

from __future__ import annotations

from typing import Any

import rules
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.access import is_doctor, is_patient, is_system
from apps.accounts.actors import Actor, System
from apps.accounts.models import CareTeam, Role
from apps.patients.models import Patient


@rules.predicate
def in_care_team(actor: Any, patient: Patient) -> bool:
    return bool(patient.care_teams.filter(members=actor).exists())


@rules.predicate
def is_self(actor: Any, patient: Patient) -> bool:
    return patient.portal_user_id == actor.pk


rules.add_perm("patients.view_patient", is_system | (is_doctor & in_care_team) | (is_patient & is_self))
rules.add_perm("patients.care_for_patient", is_system | (is_doctor & in_care_team))


def can(actor: Actor | None, permission: str, patient: Patient) -> bool:
    """Whether the actor may; nobody may nothing."""
    return actor is not None and bool(rules.has_perm(permission, actor, patient))


def visible_to(actor: Actor | None) -> QuerySet[Patient]:
    """The patients whom :func:`can` lets this actor view."""
    return Patient.objects.filter(visible_patient_filter(actor, "pk"))


def visible_patient_filter(actor: Actor | None, patient_field: str) -> Q:
    """The same as a condition for other tables whose ``patient_field`` holds the patient's id.

    A correlated EXISTS rather than a join: rows stay unique, and a list that is read in index order
    can stop after a page.
    """
    if isinstance(actor, System):
        return Q()
    if actor is None or not getattr(actor, "is_active", False):
        return Q(pk__in=[])
    if actor.role == Role.DOCTOR:
        teams = list(CareTeam.objects.filter(members=actor).values_list("pk", flat=True))
        shared = Patient.care_teams.through.objects.filter(patient_id=OuterRef(patient_field), careteam_id__in=teams)
        return Q(Exists(shared))
    if actor.role == Role.PATIENT:
        own = Patient.objects.filter(portal_user=actor.pk).values("pk")
        return Q(**{f"{patient_field}__in": own})
    return Q(pk__in=[])

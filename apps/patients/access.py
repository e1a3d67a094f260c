"""Access policy: who may see which patient.

Clinicians of the patient's care teams while the patient consents to care; a clinician with break-glass
access, for a limited time; and the patient. Administrators, auditors and researchers see no record.

Every query for clinical rows must use :func:`visible_patient_filter`.
"""

from __future__ import annotations

from typing import Any

import rules
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from apps.accounts.access import is_clinician, is_patient, is_physician, is_system
from apps.accounts.actors import Actor, System
from apps.accounts.models import CLINICIANS, CareTeam, Role
from apps.patients.models import BreakGlassAccess, ConsentState, Patient, Purpose


def permitting_states(purpose: Purpose) -> list[int]:
    """Return the consent states that permit use of the data for this purpose.

    Without a recorded decision, consent is presumed for purposes for which the hospital has another
    legal ground (``PRESUMED_CONSENT``), such as treatment (GDPR article 9(2)(h)).
    """
    presumed = purpose in settings.PRESUMED_CONSENT
    return [ConsentState.GIVEN, ConsentState.NOT_STATED] if presumed else [ConsentState.GIVEN]


def permits(patient: Patient, purpose: Purpose) -> bool:
    """Return whether the patient's data may be used for this purpose."""
    return getattr(patient, f"consent_{purpose.value}") in permitting_states(purpose)


def permitted_filter(purpose: Purpose, patient_path: str = "") -> Q:
    """Return :func:`permits` as a condition; ``patient_path`` is the lookup prefix: ``"series__study__patient__"``."""
    return Q(**{f"{patient_path}consent_{purpose.value}__in": permitting_states(purpose)})


@rules.predicate
def in_care_team(actor: Any, patient: Patient) -> bool:
    return permits(patient, Purpose.CARE) and patient.care_teams.filter(members=actor).exists()


@rules.predicate
def has_emergency_access(actor: Any, patient: Patient) -> bool:
    return active_emergencies(actor).filter(patient=patient).exists()


@rules.predicate
def is_self(actor: Any, patient: Patient) -> bool:
    return patient.portal_user_id == actor.pk and permits(patient, Purpose.PORTAL)


_cares = in_care_team | has_emergency_access
rules.add_perm("patients.view_patient", is_system | (is_clinician & _cares) | (is_patient & is_self))
rules.add_perm("patients.care_for_patient", is_system | (is_clinician & _cares))
rules.add_perm("patients.decide_for_patient", is_physician & _cares)


def can(actor: Actor | None, permission: str, patient: Patient) -> bool:
    """Return whether the actor has the permission; always False without an actor."""
    return actor is not None and bool(rules.has_perm(permission, actor, patient))


def visible_to(actor: Actor | None) -> QuerySet[Patient]:
    """Return the patients that this actor may view, consistent with :func:`can`."""
    return Patient.objects.filter(visible_patient_filter(actor, "pk"))


def few_visible(actor: Actor | None, most: int) -> list[object] | None:
    """Return the ids among which all patients that a clinician may see are; None if there are more than ``most``.

    Not an answer to who may see whom: it lets a query start from few patients instead of scanning all rows.
    """
    if actor is None or isinstance(actor, System):
        return None
    linked = Patient.care_teams.through.objects.filter(careteam__members=actor).order_by()
    ids = set(linked.values_list("patient_id", flat=True).distinct()[: most + 1])
    ids |= set(active_emergencies(actor).values_list("patient_id", flat=True))
    return list(ids) if len(ids) <= most else None


def active_emergencies(actor: Any) -> QuerySet[BreakGlassAccess]:
    """Return the user's break-glass accesses that are in force now."""
    return BreakGlassAccess.objects.filter(user=actor, ended_at=None, expires_at__gt=timezone.now())


def cared_for_condition(user: Any, now: Any, patient_field: str) -> Q:
    """Return :func:`visible_patient_filter` for a clinician as a condition that is evaluated by the database alone.

    Args:
        user: id of the clinician, or an expression.
        now: the time at which break-glass accesses are in force.
    """
    shared = Patient.care_teams.through.objects.filter(
        permitted_filter(Purpose.CARE, "patient__"),
        patient_id=OuterRef(patient_field),
        careteam_id__in=CareTeam.members.through.objects.filter(user_id=user).values("careteam_id"),
    )
    opened = BreakGlassAccess.objects.filter(
        user_id=user, ended_at=None, expires_at__gt=now, patient_id=OuterRef(patient_field)
    )
    return Q(Exists(shared)) | Q(Exists(opened))


def visible_patient_filter(actor: Actor | None, patient_field: str) -> Q:
    """Return the visibility policy as a query condition for a table whose ``patient_field`` holds the patient's id.

    A correlated EXISTS rather than a join keeps rows unique and lets a list read in index order
    stop after one page.
    """
    if isinstance(actor, System):
        return Q()
    if actor is None or not getattr(actor, "is_active", False):
        return Q(pk__in=[])
    if actor.role in CLINICIANS:
        teams = list(CareTeam.objects.filter(members=actor).values_list("pk", flat=True))
        shared = Patient.care_teams.through.objects.filter(
            permitted_filter(Purpose.CARE, "patient__"), patient_id=OuterRef(patient_field), careteam_id__in=teams
        )
        opened = list(active_emergencies(actor).values_list("patient_id", flat=True))
        return Q(Exists(shared)) | Q(**{f"{patient_field}__in": opened}) if opened else Q(Exists(shared))
    if actor.role == Role.PATIENT:
        own = Patient.objects.filter(permitted_filter(Purpose.PORTAL), portal_user=actor.pk).values("pk")
        return Q(**{f"{patient_field}__in": own})
    return Q(pk__in=[])

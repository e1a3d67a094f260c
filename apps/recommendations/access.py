"""Who may see, decide on and answer recommendations.

Clinicians of the patient see all of them, physicians decide. The patient sees what was released, and nothing else.
"""

from __future__ import annotations

from typing import Any

import rules
from django.db.models import Q, QuerySet

from apps.accounts.access import is_admin, is_clinician, is_patient, is_physician, is_system
from apps.accounts.actors import Actor, System
from apps.accounts.models import CLINICIANS, Role
from apps.patients.access import can as can_patient
from apps.patients.access import visible_patient_filter
from apps.recommendations.models import Recommendation, RecommendationState

TOLD = Q(released_at__isnull=False) & ~Q(item__clinicians_only=True)
"""What a patient may ever see: released once, whatever became of it."""


@rules.predicate
def cares_for(actor: Any, recommendation: Recommendation) -> bool:
    return can_patient(actor, "patients.care_for_patient", recommendation.patient)


@rules.predicate
def is_told(actor: Any, recommendation: Recommendation) -> bool:
    own = can_patient(actor, "patients.view_patient", recommendation.patient)
    return own and recommendation.released_at is not None and not recommendation.item.clinicians_only


rules.add_perm("recommendations.view_recommendation", is_system | (is_clinician & cares_for) | (is_patient & is_told))
rules.add_perm("recommendations.decide_recommendation", is_physician & cares_for)
rules.add_perm("recommendations.answer_recommendation", is_patient & is_told)
rules.add_perm("recommendations.change_catalogue", is_system | is_admin)


def can(actor: Actor | None, permission: str, recommendation: Recommendation | None = None) -> bool:
    """Whether the actor may; nobody may nothing."""
    return actor is not None and bool(rules.has_perm(permission, actor, recommendation))


def visible_to(actor: Actor | None) -> QuerySet[Recommendation]:
    """The recommendations that :func:`can` lets this actor view."""
    seen = visible_patient_filter(actor, "patient_id")
    role = getattr(actor, "role", None)
    if isinstance(actor, System) or role in CLINICIANS:
        return Recommendation.objects.filter(seen)
    if role == Role.PATIENT:
        return Recommendation.objects.filter(seen & TOLD)
    return Recommendation.objects.none()


def require(actor: Actor | None, permission: str, recommendation: Recommendation | None = None) -> None:
    """For verbs.

    Raises:
        PermissionError: if the actor may not.
    """
    if not can(actor, permission, recommendation):
        raise PermissionError(f"{permission} is not for this actor")


def waiting_for(actor: Actor | None) -> QuerySet[Recommendation]:
    """What a physician has to look at."""
    return visible_to(actor).filter(state=RecommendationState.PROPOSED)

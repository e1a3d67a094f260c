"""Who may see, decide on and answer recommendations.

Clinicians of the patient see all of them, physicians of the patient decide. The patient sees only released ones.
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

RELEASED_TO_PATIENT = Q(released_at__isnull=False) & ~Q(item__clinicians_only=True)
"""What a patient may see: everything that was ever released to them, in any later state."""


@rules.predicate
def cares_for(actor: Any, recommendation: Recommendation) -> bool:
    return can_patient(actor, "patients.care_for_patient", recommendation.patient)


@rules.predicate
def is_released_to(actor: Any, recommendation: Recommendation) -> bool:
    own = can_patient(actor, "patients.view_patient", recommendation.patient)
    return own and recommendation.released_at is not None and not recommendation.item.clinicians_only


rules.add_perm(
    "recommendations.view_recommendation", is_system | (is_clinician & cares_for) | (is_patient & is_released_to)
)
rules.add_perm("recommendations.decide_recommendation", is_physician & cares_for)
rules.add_perm("recommendations.answer_recommendation", is_patient & is_released_to)
rules.add_perm("recommendations.change_catalogue", is_system | is_admin)


def can(actor: Actor | None, permission: str, recommendation: Recommendation | None = None) -> bool:
    """Whether the actor has the permission; False without an actor."""
    return actor is not None and bool(rules.has_perm(permission, actor, recommendation))


def visible_to(actor: Actor | None) -> QuerySet[Recommendation]:
    """The recommendations this actor may view; the query equivalent of :func:`can`."""
    seen = visible_patient_filter(actor, "patient_id")
    role = getattr(actor, "role", None)
    if isinstance(actor, System) or role in CLINICIANS:
        return Recommendation.objects.filter(seen)
    if role == Role.PATIENT:
        return Recommendation.objects.filter(seen & RELEASED_TO_PATIENT)
    return Recommendation.objects.none()


def require(actor: Actor | None, permission: str, recommendation: Recommendation | None = None) -> None:
    """Check a permission before an action.

    Raises:
        PermissionError: if the actor lacks the permission.
    """
    if not can(actor, permission, recommendation):
        raise PermissionError(f"{permission} is not for this actor")


def waiting_for(actor: Actor | None) -> QuerySet[Recommendation]:
    """The recommendations that await the physician's review."""
    return visible_to(actor).filter(state=RecommendationState.PROPOSED)

"""Tables of recommendations."""

from apps.recommendations.models.catalogue import CareItem, GuidelineRule, ItemKind
from apps.recommendations.models.recommendation import (
    OPEN_STATES,
    SHOWN_STATES,
    Recommendation,
    RecommendationState,
    RuleEvaluation,
    Step,
    Urgency,
)

__all__ = [
    "OPEN_STATES",
    "SHOWN_STATES",
    "CareItem",
    "GuidelineRule",
    "ItemKind",
    "Recommendation",
    "RecommendationState",
    "RuleEvaluation",
    "Step",
    "Urgency",
]

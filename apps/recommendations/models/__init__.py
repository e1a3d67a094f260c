"""Tables of recommendations."""

from apps.recommendations.models.catalogue import CareItem, GuidelineRule, ItemKind
from apps.recommendations.models.recommendation import (
    OPEN_STATES,
    SHOWN_STATES,
    Recommendation,
    RecommendationEvent,
    RecommendationState,
    RuleEvaluation,
    Urgency,
)

__all__ = [
    "OPEN_STATES",
    "SHOWN_STATES",
    "CareItem",
    "GuidelineRule",
    "ItemKind",
    "Recommendation",
    "RecommendationEvent",
    "RecommendationState",
    "RuleEvaluation",
    "Urgency",
]

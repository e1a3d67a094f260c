"""Event handlers of explainability."""

from __future__ import annotations

from apps.explainability.scheduling import schedule_explanations
from apps.inference.events import AnalysisCompleted


def plan_explanations(event: AnalysisCompleted) -> None:
    """Queue an explanation of each finding above its threshold."""
    schedule_explanations(event.analysis_id)

"""What explainability does on events of the apps below."""

from __future__ import annotations

from apps.explainability.scheduling import plan
from apps.inference.events import AnalysisCompleted


def plan_explanations(event: AnalysisCompleted) -> None:
    """Ask for an explanation of each finding above its threshold."""
    plan(event.analysis_id)

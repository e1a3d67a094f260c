"""Event handlers of predictions."""

from __future__ import annotations

from apps.notes.events import NoteExtracted
from apps.predictions import alarms
from apps.predictions.prediction_requests import request_predictions
from apps.records.events import ObservationsChanged
from apps.records.models import Case


def check_alarms(event: ObservationsChanged) -> None:
    """Check the newest values against the alarm rules."""
    case = _find_case(event)
    if case is not None:
        alarms.evaluate(case)


def refresh_predictions(event: ObservationsChanged | NoteExtracted) -> None:
    """Request new predictions of every kind."""
    case = _find_case(event)
    if case is not None:
        request_predictions(case)


def _find_case(event: ObservationsChanged | NoteExtracted) -> Case | None:
    return Case.objects.select_related("patient").filter(pk=event.case_id).first()

"""Event handlers of recommendations: request a new rule evaluation."""

from __future__ import annotations

from apps.inference.events import AnalysisCompleted, FindingReviewed
from apps.notes.events import ConceptReviewed, NoteExtracted
from apps.patients.models import Patient
from apps.recommendations.engine import request_evaluation
from apps.records.events import ObservationsChanged, StatementsChanged


def evaluate_after_analysis(event: AnalysisCompleted | FindingReviewed) -> None:
    """Evaluate after an analysis or a review of its findings: findings count once confirmed."""
    patient = Patient.objects.filter(studies__series__analyses=event.analysis_id).first()
    if patient is not None:
        request_evaluation(patient)


def evaluate_after_chart_change(
    event: ObservationsChanged | StatementsChanged | NoteExtracted | ConceptReviewed,
) -> None:
    """Evaluate after the patient's facts have changed."""
    patient = Patient.objects.filter(cases=event.case_id).first()
    if patient is not None:
        request_evaluation(patient)

"""What recommendations do on events of the apps below: evaluate the rules again."""

from __future__ import annotations

from apps.inference.events import AnalysisCompleted, FindingReviewed
from apps.notes.events import ConceptReviewed, NoteExtracted
from apps.patients.models import Patient
from apps.recommendations.engine import ask
from apps.records.events import ObservationsChanged, StatementsChanged


def evaluate_after_analysis(event: AnalysisCompleted | FindingReviewed) -> None:
    """A model has answered, or a clinician has reviewed its answer: a finding counts once it is confirmed."""
    patient = Patient.objects.filter(studies__series__analyses=event.analysis_id).first()
    if patient is not None:
        ask(patient)


def evaluate_after_chart_change(
    event: ObservationsChanged | StatementsChanged | NoteExtracted | ConceptReviewed,
) -> None:
    """The facts of a patient have changed."""
    patient = Patient.objects.filter(cases=event.case_id).first()
    if patient is not None:
        ask(patient)

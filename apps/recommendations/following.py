"""What happens elsewhere and makes recommendations look again: analyses, cases."""

from __future__ import annotations

from apps.cases.models import Case
from apps.inference.models import Analysis
from apps.recommendations.proposing import ask


def analysis_ended(pk: str) -> None:
    """A model has looked at a film. What it found counts once a doctor has confirmed it."""
    analysis = Analysis.objects.select_related("series__study__patient").filter(pk=pk).first()
    if analysis is not None:
        ask(analysis.series.study.patient)


def case_changed(pk: str) -> None:
    """A problem, allergy, medication or value has changed."""
    case = Case.objects.select_related("patient").filter(pk=pk).first()
    if case is not None:
        ask(case.patient)

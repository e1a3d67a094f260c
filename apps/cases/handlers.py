"""Event handlers of cases."""

from __future__ import annotations

from apps.accounts.actors import System
from apps.cases.services import add_study
from apps.inference.events import AnalysisCompleted
from apps.inference.models import Analysis
from apps.jobs.models import State
from apps.notes import discordance
from apps.predictions import prediction_requests
from apps.records.event_log import log_event
from apps.records.models import Case, CaseStatus, EventKind

ACTOR = System("analysis completed")


def add_findings_to_cases(event: AnalysisCompleted) -> int:
    """Log the findings of an analysis to the study's open cases; return the number of cases.

    A study without an open case is added to the patient's newest open case.
    """
    analysis = (
        Analysis.objects.filter(pk=event.analysis_id, state=State.SUCCEEDED)
        .select_related("series__study__patient", "package")
        .first()
    )
    if analysis is None:
        return 0
    study = analysis.series.study
    rows = Case.objects.filter(patient=study.patient, status=CaseStatus.OPEN).select_related("patient")
    cases = list(rows.filter(studies=study))
    if not cases:
        cases = list(rows.order_by("-started_at")[:1])
        for case in cases:
            add_study(case, study, actor=ACTOR)
    for case in cases:
        for finding in analysis.findings.filter(positive=True, is_abnormal=True).select_related("analysis__package"):
            log_event(
                case,
                EventKind.FINDING,
                f"finding.{finding.label}",
                at=analysis.finished_at,
                subject=f"finding:{finding.pk}",
                what=finding.card_label["title"]["en"],
                percent=f"{100 * finding.probability:.0f}",
            )
        discordance.compare(case)
        prediction_requests.request_predictions(case)
    return len(cases)


def catch_up(case: Case) -> None:
    """Log findings on the case's studies from before the case was opened."""
    for pk in Analysis.objects.filter(series__study__cases=case, state=State.SUCCEEDED).values_list("pk", flat=True):
        add_findings_to_cases(AnalysisCompleted(pk))

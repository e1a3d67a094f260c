"""What a case does when something happens below: a study arrives, an analysis ends, a finding is reviewed."""

from __future__ import annotations

import uuid

from apps.accounts.actors import System
from apps.cases import discordance, foretelling
from apps.cases.casework import add_study
from apps.cases.models import Case, CaseStatus, EventKind
from apps.cases.timeline import happened
from apps.inference.models import Analysis
from apps.jobs.models import State

ACTOR = System("an analysis ended")


def follow(analysis_id: uuid.UUID | str) -> int:
    """Put the findings on the timelines of the study's open cases; how many.

    A study that belongs to no case becomes part of the patient's newest open one.
    """
    analysis = (
        Analysis.objects.filter(pk=analysis_id, state=State.SUCCEEDED)
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
            happened(
                case,
                EventKind.FINDING,
                f"finding.{finding.label}",
                at=analysis.finished_at,
                subject=f"finding:{finding.pk}",
                what=finding.card_label["title"]["en"],
                percent=f"{100 * finding.probability:.0f}",
            )
        discordance.compare(case)
        foretelling.ask_anew(case)
    return len(cases)


def catch_up(case: Case) -> None:
    """Put what was found on the case's studies before it was opened on its timeline."""
    for pk in Analysis.objects.filter(series__study__cases=case, state=State.SUCCEEDED).values_list("pk", flat=True):
        follow(pk)

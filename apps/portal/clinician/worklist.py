"""Pages of the worklist: studies with the state and findings of their analyses."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q, QuerySet

from apps.imaging.models import Study
from apps.inference.models import Analysis, Finding, Review
from apps.jobs.models import State
from apps.notes.discordance import open_by_study
from apps.patients.access import permits
from apps.patients.models import Purpose
from apps.patients.queries import fits
from apps.protection import keys

PAGE = 25


@dataclass
class Row:
    """A study as the worklist shows it."""

    study: Study
    states: set[str] = field(default_factory=set)
    found: list[Finding] = field(default_factory=list)
    reviewed: bool = False
    discordant: bool = False

    @property
    def waiting(self) -> bool:
        """Whether an analysis is queued or running."""
        return bool(self.states & {State.QUEUED, State.RUNNING})

    @property
    def status(self) -> str:
        """The badge's status; the most urgent state wins."""
        if self.waiting:
            return "waiting"
        if self.found:
            return "found"
        for state, word in ((State.FAILED, "failed"), (State.SUCCEEDED, "clear"), (State.REFUSED, "refused")):
            if state in self.states:
                return word
        return "none"


@dataclass(frozen=True)
class Page:
    """A page of rows, and the cursor of the next page."""

    rows: list[Row]
    older: str

    @property
    def waiting(self) -> bool:
        """Whether an analysis on the page is queued or running."""
        return any(row.waiting for row in self.rows)


def page(studies: QuerySet[Study], *, after: str = "", search: str = "") -> Page:
    """Return the studies that follow the cursor, with their analyses, in a constant number of queries.

    Args:
        studies: ordered by urgency, time of arrival and id, all descending.
        search: the search text of ``studies``; false matches of the blind index are filtered out.
        after: the previous page's ``older``; empty or malformed for the first page.
    """
    batch = list(studies.filter(_beyond(after))[: PAGE + 1])
    keys.warm(study.key_holder for study in batch)
    matching = [study for study in batch[:PAGE] if not search.strip() or fits(study.patient, search)]
    rows = {study.pk: Row(study) for study in matching}
    analysed = [study.pk for study in matching if permits(study.patient, Purpose.AI)]
    analyses = Analysis.objects.filter(series__study__in=analysed)
    for study_id, state in analyses.values_list("series__study_id", "state"):
        rows[study_id].states.add(state)
    findings = Finding.objects.filter(analysis__series__study__in=analysed, positive=True, is_abnormal=True)
    for finding in findings.select_related("analysis__series", "analysis__package"):
        rows[finding.analysis.series.study_id].found.append(finding)
    for study_id in Review.objects.filter(finding__analysis__series__study__in=analysed).values_list(
        "finding__analysis__series__study_id", flat=True
    ):
        rows[study_id].reviewed = True
    for study_id in open_by_study(analysed):
        rows[study_id].discordant = True
    last = batch[PAGE - 1] if len(batch) > PAGE else None
    return Page(list(rows.values()), _cursor(last) if last else "")


def _cursor(study: Study) -> str:
    return f"{study.urgency}|{study.received_at.isoformat()}|{study.pk}"


def _beyond(cursor: str) -> Q:
    """Return the condition for rows after the cursor: keyset pagination, whose cost does not grow with the page."""
    try:
        urgency, moment, pk = cursor.split("|")
        level, at, row = int(urgency), datetime.fromisoformat(moment), uuid.UUID(pk)
    except ValueError:
        return Q()
    same = Q(urgency=level) & (Q(received_at__lt=at) | Q(received_at=at, pk__lt=row))
    return Q(urgency__lt=level) | same

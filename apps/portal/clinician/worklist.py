"""The worklist: a page of studies with what the models said of them."""

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
        """Whether an analysis is under way."""
        return bool(self.states & {State.QUEUED, State.RUNNING})

    @property
    def status(self) -> str:
        """One word for the badge; the most pressing state wins."""
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
    """Some rows, and the cursor of the next ones."""

    rows: list[Row]
    older: str

    @property
    def waiting(self) -> bool:
        """Whether something on the page is still under way."""
        return any(row.waiting for row in self.rows)


def page(studies: QuerySet[Study], *, after: str = "", search: str = "") -> Page:
    """The studies that follow the cursor, with their analyses, in five queries whatever the number.

    Args:
        studies: ordered by urgency, time of arrival and id, all descending.
        search: what ``studies`` were searched for; the blind index lets a few others pass.
        after: the ``older`` of the page before; empty or malformed: the first page.
    """
    chosen = list(studies.filter(_beyond(after))[: PAGE + 1])
    keys.warm(study.key_holder for study in chosen)
    meant = [study for study in chosen[:PAGE] if not search.strip() or fits(study.patient, search)]
    rows = {study.pk: Row(study) for study in meant}
    shown = [study.pk for study in meant if permits(study.patient, Purpose.AI)]
    analyses = Analysis.objects.filter(series__study__in=shown)
    for study_id, state in analyses.values_list("series__study_id", "state"):
        rows[study_id].states.add(state)
    findings = Finding.objects.filter(analysis__series__study__in=shown, positive=True, is_abnormal=True)
    for finding in findings.select_related("analysis__series", "analysis__package"):
        rows[finding.analysis.series.study_id].found.append(finding)
    for study_id in Review.objects.filter(finding__analysis__series__study__in=shown).values_list(
        "finding__analysis__series__study_id", flat=True
    ):
        rows[study_id].reviewed = True
    for study_id in open_by_study(shown):
        rows[study_id].discordant = True
    last = chosen[PAGE - 1] if len(chosen) > PAGE else None
    return Page(list(rows.values()), _cursor(last) if last else "")


def _cursor(study: Study) -> str:
    return f"{study.urgency}|{study.received_at.isoformat()}|{study.pk}"


def _beyond(cursor: str) -> Q:
    """What comes after the cursor; keyset rather than offset, so that page 4,000 costs what page 1 does."""
    try:
        urgency, moment, pk = cursor.split("|")
        level, at, row = int(urgency), datetime.fromisoformat(moment), uuid.UUID(pk)
    except ValueError:
        return Q()
    same = Q(urgency=level) & (Q(received_at__lt=at) | Q(received_at=at, pk__lt=row))
    return Q(urgency__lt=level) | same

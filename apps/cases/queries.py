"""Reads of cases that more than one caller needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from apps.accounts.models import User
from apps.cases.access import visible_to
from apps.cases.models import Alarm, Case, Concept, Discordance, Note, Statement, StatementKind, StatementStatus, Task
from apps.patients.access import permitted_filter
from apps.patients.models import Purpose
from apps.patients.queries import found_by
from apps.protection import keys

PAGE = 50


@dataclass(frozen=True)
class Listed:
    """A page of the list of cases, and notes that hold the words that were searched for."""

    cases: list[Case]
    notes: list[Note] = field(default_factory=list)
    more: bool = False


def listed(actor: User, *, text: str = "", status: str = "", mine: bool = False, after: int = 0) -> Listed:
    """Cases that the actor sees, most pressing and newest first."""
    from apps.cases.search import found

    rows = _with_marks(visible_to(actor).exclude(merged_into__isnull=False))
    if status:
        rows = rows.filter(status=status)
    if mine:
        rows = rows.filter(assignee=actor)
    if text.strip():
        rows = rows.filter(patient__in=found_by(text))
    cases = list(
        rows.select_related("patient", "assignee", "care_team").order_by("-priority", "-touched_at", "-id")[
            after : after + PAGE + 1
        ]
    )
    keys.warm(case.key_holder for case in cases)
    return Listed(cases[:PAGE], found(actor, text)[:30] if text.strip() else [], len(cases) > PAGE)


def _with_marks(rows: QuerySet[Case]) -> QuerySet[Case]:
    discordant = Discordance.objects.filter(permitted_filter(Purpose.AI, "case__patient__"))
    return rows.annotate(
        alarmed=Exists(Alarm.objects.filter(Alarm.sounding_now(), case=OuterRef("pk"))),
        discordant=Exists(discordant.filter(case=OuterRef("pk"), settled_at=None)),
        waiting=Count("tasks", filter=Q(tasks__done_at=None)),
    )


def full(actor: User) -> QuerySet[Case]:
    """The actor's cases with what a page's head shows."""
    return visible_to(actor).select_related("patient", "assignee", "care_team", "merged_into")


def of_patient(actor: User, patient_id: Any) -> QuerySet[Case]:
    """The patient's cases that the actor sees, newest first."""
    return visible_to(actor).filter(patient=patient_id).select_related("patient").order_by("-started_at")


def of_study(actor: User, study_id: Any) -> QuerySet[Case]:
    """The cases that the study belongs to."""
    return (
        visible_to(actor).filter(studies=study_id, merged_into=None).select_related("patient").order_by("-started_at")
    )


def statements(case: Case) -> dict[str, list[Statement]]:
    """Active first, by kind; what was entered in error is left out."""
    rows = (
        Statement.objects.filter(case=case).exclude(status=StatementStatus.ERROR).select_related("case", "entered_by")
    )
    found: dict[str, list[Statement]] = {kind: [] for kind in StatementKind.values}
    for row in rows:
        found[row.kind].append(row)
    return found


def tasks(case: Case) -> list[Task]:
    """What is to be done, then what was done last."""
    rows = Task.objects.filter(case=case).select_related("case", "assignee", "done_by")
    waiting = list(rows.filter(done_at=None).order_by("due", "created_at"))
    return [*waiting, *rows.exclude(done_at=None).order_by("-done_at")[:10]]


def concepts_by_kind(concepts: Iterable[Concept]) -> dict[str, list[Concept]]:
    """Concepts of a reading, by kind."""
    found: dict[str, list[Concept]] = {}
    for concept in concepts:
        found.setdefault(concept.kind, []).append(concept)
    return found

"""Queries of cases with more than one caller."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from apps.accounts.models import User
from apps.cases.models import Task
from apps.notes.models import Discordance, Note
from apps.patients.access import permitted_filter
from apps.patients.models import Purpose
from apps.patients.queries import found_by
from apps.predictions.models import Alarm
from apps.protection import keys
from apps.records.access import visible_to
from apps.records.models import Case

PAGE = 50


@dataclass(frozen=True)
class CasePage:
    """A page of the case list, and notes that match the search text."""

    cases: list[Case]
    notes: list[Note] = field(default_factory=list)
    more: bool = False


def list_cases(actor: User, *, text: str = "", status: str = "", mine: bool = False, after: int = 0) -> CasePage:
    """Cases visible to the actor, by priority, then last change."""
    from apps.notes.search import find_notes

    rows = _with_flags(visible_to(actor).exclude(merged_into__isnull=False))
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
    return CasePage(cases[:PAGE], find_notes(actor, text)[:30] if text.strip() else [], len(cases) > PAGE)


def _with_flags(rows: QuerySet[Case]) -> QuerySet[Case]:
    discordant = Discordance.objects.filter(permitted_filter(Purpose.AI, "case__patient__"))
    return rows.annotate(
        alarmed=Exists(Alarm.objects.filter(Alarm.sounding_now(), case=OuterRef("pk"))),
        discordant=Exists(discordant.filter(case=OuterRef("pk"), settled_at=None)),
        waiting=Count("tasks", filter=Q(tasks__done_at=None)),
    )


def tasks(case: Case) -> list[Task]:
    """Open tasks by due date, then the ten completed last."""
    rows = Task.objects.filter(case=case).select_related("case", "assignee", "done_by")
    waiting = list(rows.filter(done_at=None).order_by("due", "created_at"))
    return [*waiting, *rows.exclude(done_at=None).order_by("-done_at")[:10]]

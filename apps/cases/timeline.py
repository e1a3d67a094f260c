"""Writing and reading the line of everything that happened in a case."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count, Max, Min, Q, QuerySet, TextField
from django.db.models.functions import Cast, Substr
from django.utils import timezone

from apps.records.access import models_permitted
from apps.records.models import Case, Event, EventKind

PAGE = 60
FROM_MODELS = (EventKind.FINDING, EventKind.PREDICTION)
"""Hidden while the patient does not consent to analysis by models."""
LONG_DAYS = 4
"""A case that lasts longer is counted by day, a shorter one by hour."""


@dataclass(frozen=True)
class Bin:
    """How many events of each kind began in an hour or a day."""

    start: datetime
    counts: dict[str, int]


@dataclass(frozen=True)
class Page:
    """Some events, newest first, and the cursor of the next ones."""

    events: list[Event]
    older: str


def page(
    case: Case,
    *,
    kinds: Iterable[str] = (),
    after: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page:
    """Events that follow the cursor; keyset rather than offset."""
    rows = _filtered(case, kinds, since, until)
    rows = rows.select_related("actor", "case").order_by("-at", "-id")
    chosen = list(rows.filter(_beyond(after))[: PAGE + 1])
    older = f"{chosen[PAGE - 1].at.isoformat()}|{chosen[PAGE - 1].pk}" if len(chosen) > PAGE else ""
    return Page(chosen[:PAGE], older)


def bins(case: Case, *, kinds: Iterable[str] = ()) -> list[Bin]:
    """The whole line at a glance."""
    rows = _filtered(case, kinds, None, None)
    ends = rows.aggregate(first=Min("at"), last=Max("at"))
    if ends["first"] is None:
        return []
    by_day = (ends["last"] - ends["first"]).days >= LONG_DAYS
    # The beginning of the text instead of TruncHour, which SQLite answers by a Python function, row by row.
    hour = Substr(Cast("at", TextField()), 1, len("2026-01-01 00"))
    counted = rows.annotate(hour=hour).values_list("hour", "kind").annotate(n=Count("pk")).order_by("hour")
    found: dict[datetime, dict[str, int]] = {}
    for text, kind, number in counted:
        start = timezone.localtime(datetime.fromisoformat(f"{text}:00").replace(tzinfo=UTC))
        counts = found.setdefault(start.replace(hour=0) if by_day else start, {})
        counts[kind] = counts.get(kind, 0) + number
    return [Bin(start, counts) for start, counts in found.items()]


def _filtered(case: Case, kinds: Iterable[str], since: datetime | None, until: datetime | None) -> QuerySet[Event]:
    rows = Event.objects.filter(case=case)
    if not models_permitted(case.patient):
        rows = rows.exclude(kind__in=FROM_MODELS).exclude(token="discordance")  # noqa: S106  # a code
    wanted = [kind for kind in kinds if kind in EventKind.values]
    if wanted:
        rows = rows.filter(kind__in=wanted)
    if since is not None:
        rows = rows.filter(at__gte=since)
    return rows.filter(at__lt=until) if until is not None else rows


def _beyond(cursor: str) -> Q:
    try:
        moment, pk = cursor.split("|")
        at, row = datetime.fromisoformat(moment), uuid.UUID(pk)
    except ValueError:
        return Q()
    return Q(at__lt=at) | Q(at=at, pk__lt=row)

"""Reading a case's timeline of events."""

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
"""Hidden unless the patient consents to analysis by models."""
LONG_DAYS = 4
"""From this duration on, events are binned by day instead of by hour."""


@dataclass(frozen=True)
class Bin:
    """Number of events of each kind in an hour or a day."""

    start: datetime
    counts: dict[str, int]


@dataclass(frozen=True)
class Page:
    """A page of events, newest first, and the cursor of the next page (empty: none)."""

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
    """Return the page after the cursor (keyset pagination).

    Args:
        kinds: values of EventKind; empty: all.
        after: cursor of the previous page; an invalid one starts at the top.
        since: inclusive.
        until: exclusive.
    """
    rows = _filtered(case, kinds, since, until)
    rows = rows.select_related("actor", "case").order_by("-at", "-id")
    chosen = list(rows.filter(_beyond(after))[: PAGE + 1])
    older = f"{chosen[PAGE - 1].at.isoformat()}|{chosen[PAGE - 1].pk}" if len(chosen) > PAGE else ""
    return Page(chosen[:PAGE], older)


def bins(case: Case, *, kinds: Iterable[str] = ()) -> list[Bin]:
    """Histogram of the whole timeline."""
    rows = _filtered(case, kinds, None, None)
    ends = rows.aggregate(first=Min("at"), last=Max("at"))
    if ends["first"] is None:
        return []
    by_day = (ends["last"] - ends["first"]).days >= LONG_DAYS
    # A substring instead of TruncHour, which SQLite evaluates with a Python function for every row.
    hour = Substr(Cast("at", TextField()), 1, len("2026-01-01 00"))
    counted = rows.annotate(hour=hour).values_list("hour", "kind").annotate(n=Count("pk")).order_by("hour")
    by_start: dict[datetime, dict[str, int]] = {}
    for text, kind, number in counted:
        start = timezone.localtime(datetime.fromisoformat(f"{text}:00").replace(tzinfo=UTC))
        counts = by_start.setdefault(start.replace(hour=0) if by_day else start, {})
        counts[kind] = counts.get(kind, 0) + number
    return [Bin(start, counts) for start, counts in by_start.items()]


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

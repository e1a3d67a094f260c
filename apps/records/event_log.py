"""Writing the event log of a case."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from apps.accounts.models import User
from apps.records.models import Case, Event, EventKind


def log_event(
    case: Case,
    kind: EventKind,
    code: str,
    *,
    at: datetime | None = None,
    subject: str = "",
    actor: User | None = None,
    **words: Any,
) -> Event:
    """Put a point on the line; the same code of the same subject is there once.

    Args:
        code: what happened, ``note.progress``: the sentence is found by its first parts, the model reads all.
        subject: ``note:<id>``.
        words: parameters of the sentence.
    """
    event = build_event(case, kind, code, at=at, subject=subject, actor=actor, **words)
    known = Event.objects.filter(case=case, subject=subject, token=event.token).first() if subject else None
    if known is not None:
        return known
    event.save(force_insert=True)
    Case.objects.filter(pk=case.pk, touched_at__lt=event.at).update(touched_at=event.at)
    return event


def build_event(
    case: Case,
    kind: EventKind,
    code: str,
    *,
    at: datetime | None = None,
    subject: str = "",
    actor: User | None = None,
    **words: Any,
) -> Event:
    """The same without storing it, for many at once."""
    event = Event(case=case, kind=kind, token=_sort(code), at=at or timezone.now(), subject=subject, actor=actor)
    event.words = {"code": code, **words}
    return event


def _sort(code: str) -> str:
    """What of a code lies open: that there was a value, not which and how it was."""
    first, _dot, rest = code.partition(".")
    return first if first in ("value", "finding", "statement") or (first == "alarm" and rest != "ended") else code[:40]


def store_events(events: Iterable[Event]) -> None:
    """Store many; those that are there already stay as they are."""
    Event.objects.bulk_create(events, batch_size=500, ignore_conflicts=True)

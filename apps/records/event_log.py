"""Writing the timeline of a case."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from apps.accounts.models import User
from apps.records.models import Case, Event, EventKind

ALARM_ENDS = ("ended", "withdrawn")


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
    """Add an event to the timeline; an event with the same code and subject is added only once.

    Args:
        code: event code such as ``note.progress``. Its first parts select the sentence; models read all of it.
        subject: ``note:<id>``.
        words: parameters of the sentence.
    """
    event = build_event(case, kind, code, at=at, subject=subject, actor=actor, **words)
    existing = Event.objects.filter(case=case, subject=subject, token=event.token).first() if subject else None
    if existing is not None:
        return existing
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
    """Build an event without saving it, for bulk insertion."""
    event = Event(case=case, kind=kind, token=_token(code), at=at or timezone.now(), subject=subject, actor=actor)
    event.words = {"code": code, **words}
    return event


def _token(code: str) -> str:
    """Return the unencrypted part of a code: that there was a value, not which one or whether it was abnormal."""
    first, _dot, rest = code.partition(".")
    revealing = first in ("value", "finding", "statement") or (first == "alarm" and rest not in ALARM_ENDS)
    return first if revealing else code[:40]


def store_events(events: Iterable[Event]) -> None:
    """Insert many events; existing ones are left unchanged."""
    Event.objects.bulk_create(events, batch_size=500, ignore_conflicts=True)

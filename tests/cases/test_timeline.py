"""The line of everything that happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.cases import timeline
from apps.records import event_log
from apps.records.models import Case, Event, EventKind

pytestmark = pytest.mark.django_db


def _fill(case: Case, *moments: datetime) -> None:
    Event.objects.filter(case=case).delete()
    event_log.store_events(
        event_log.build_event(case, EventKind.VALUE, "value.8867-4", at=at, subject=f"value:{number}")
        for number, at in enumerate(moments)
    )


def test_a_short_case_is_counted_by_hour_and_a_long_one_by_day(case: Case, settings: Any) -> None:
    noon = datetime(2026, 3, 1, 12, 10, tzinfo=UTC)
    _fill(case, noon, noon + timedelta(minutes=40), noon + timedelta(hours=1))
    assert [(one.start.hour, one.counts) for one in timeline.bins(case)] == [(12, {"value": 2}), (13, {"value": 1})]
    _fill(case, noon, noon + timedelta(hours=14), noon + timedelta(days=9))
    with timezone.override("Asia/Shanghai"):  # noon in UTC is evening there, and 14 hours later the next day
        days = [(one.start.day, one.start.hour, one.counts) for one in timeline.bins(case)]
    assert days == [(1, 0, {"value": 1}), (2, 0, {"value": 1}), (10, 0, {"value": 1})]


def test_an_empty_line_has_no_bins(case: Case) -> None:
    _fill(case)
    assert timeline.bins(case) == []

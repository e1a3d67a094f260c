"""Domain events reach each handler once they are committed, and are never lost."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Notice
from apps.jobs import events
from apps.jobs.models import OutboxMessage


@dataclass(frozen=True)
class SomethingHappened(events.DomainEvent):
    row: uuid.UUID
    urgent: bool


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[SomethingHappened]]:
    """What the handler was called with; it is the only subscriber."""
    monkeypatch.setattr(events, "_subscriptions", {})
    calls: list[SomethingHappened] = []
    events.subscribe(SomethingHappened, calls.append, at_once=True)
    yield calls


def due_now() -> None:
    OutboxMessage.objects.update(due_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db(transaction=True)
def test_a_committed_event_arrives_with_its_types(received: list[SomethingHappened]) -> None:
    event = SomethingHappened(uuid.uuid4(), urgent=True)
    with transaction.atomic():
        events.publish(event)
        assert received == []
    assert received == [event]
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_never_told(received: list[SomethingHappened]) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        events.publish(SomethingHappened(uuid.uuid4(), urgent=False))
        raise ZeroDivisionError
    events.deliver_due()
    assert received == []


def test_a_lost_message_is_delivered_by_the_sweeper(received: list[SomethingHappened]) -> None:
    events.publish(SomethingHappened(uuid.uuid4(), urgent=False))  # the test's transaction never commits
    assert events.deliver_due() == 0, "another process may be about to deliver it"
    due_now()
    assert events.deliver_due() == 1
    assert len(received) == 1
    assert events.deliver_due() == 0


def test_a_failing_handler_leaves_no_trace_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(events, "_subscriptions", {})
    failures = [ValueError("Lindqvist^Åsa"), None]

    def handler(event: SomethingHappened) -> None:
        Notice.objects.all().delete()
        if (error := failures.pop(0)) is not None:
            raise error

    events.subscribe(SomethingHappened, handler)
    events.publish(SomethingHappened(uuid.uuid4(), urgent=False))
    message = OutboxMessage.objects.get()
    assert not events.deliver(message.pk)
    message.refresh_from_db()
    assert message.attempts == 1 and message.due_at > timezone.now()
    assert "ValueError" in caplog.text and "Lindqvist" not in caplog.text
    assert events.deliver(message.pk)
    assert not OutboxMessage.objects.exists()


def test_delivering_twice_calls_the_handler_once(received: list[SomethingHappened]) -> None:
    events.publish(SomethingHappened(uuid.uuid4(), urgent=False))
    pk = OutboxMessage.objects.get().pk
    assert events.deliver(pk)
    assert not events.deliver(pk)
    assert len(received) == 1


def test_a_handler_that_is_gone_is_dropped_with_a_word(
    received: list[SomethingHappened], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    events.publish(SomethingHappened(uuid.uuid4(), urgent=False))
    monkeypatch.setattr(events, "_subscriptions", {})
    assert events.deliver(OutboxMessage.objects.get().pk)
    assert "no handler" in caplog.text and not OutboxMessage.objects.exists()


def test_events_hold_no_patient_data() -> None:
    """The outbox is not sealed: fields are ids, flags and numbers, nothing else."""
    for config in apps.get_app_configs():
        if config.name.startswith("apps."):
            assert config.ready is not None
    subscribed = {subscription.event for subscription in events.subscriptions()}
    assert len(subscribed) >= 7
    for event in subscribed:
        allowed = {"uuid.UUID", "UUID", "bool", "int"}
        assert {str(kind) for kind in event.__annotations__.values()} <= allowed, event

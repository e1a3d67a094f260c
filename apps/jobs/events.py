"""Domain events, delivered to subscribing apps through a transactional outbox.

An app defines and publishes its events (``events.py``) without knowing the subscribers. They register a handler in
``AppConfig.ready``. Publishing writes one outbox row per handler in the publisher's transaction, so a rolled-back
event is never delivered and a committed one is delivered at least once. A handler runs in the transaction that deletes
its row, so its database writes happen exactly once; its other side effects must be idempotent.

The pattern is the transactional outbox (Richardson, Microservices Patterns, 2018, section 3.3.7).
"""

from __future__ import annotations

import dataclasses
import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar, get_type_hints

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from apps.jobs.enqueue import enqueue
from apps.jobs.models import OutboxMessage

logger = logging.getLogger(__name__)

DELIVER_TASK = "jobs.deliver_event"
FIRST_RETRY = timedelta(seconds=10)
LAST_RETRY = timedelta(hours=1)


@dataclasses.dataclass(frozen=True)
class DomainEvent:
    """Base class of domain events; subclasses are named in the past tense.

    Fields are ids, flags and codes (str, bool, int, UUID). The outbox is not encrypted, so events carry no patient
    data; handlers look up the rows by id.
    """

    def payload(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            name: str(value) if isinstance(value, uuid.UUID) else value
            for name, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_payload(cls: type[E], payload: dict[str, Any]) -> E:
        """Rebuild an event from a stored payload."""
        types = get_type_hints(cls)
        return cls(**{name: uuid.UUID(value) if types[name] is uuid.UUID else value for name, value in payload.items()})


E = TypeVar("E", bound=DomainEvent)
Handler = Callable[[Any], object]


@dataclasses.dataclass(frozen=True)
class Subscription:
    """A handler registered for an event.

    Attributes:
        name: dotted name of the handler, stored in the outbox.
        at_once: whether the publishing process runs it right after its commit; otherwise a worker runs it.
    """

    event: type[DomainEvent]
    handler: Handler
    name: str
    at_once: bool


_subscriptions: dict[str, list[Subscription]] = {}


def event_name(event: type[DomainEvent]) -> str:
    """Return the name stored in the outbox, such as ``imaging.InstanceStored``."""
    return f"{event.__module__.split('.')[-2]}.{event.__name__}"


def subscribe(event: type[DomainEvent], handler: Handler, *, at_once: bool = False) -> None:
    """Register ``handler`` for ``event``; subscribing twice has no effect.

    Args:
        at_once: run in the publishing process after its commit; only for handlers of milliseconds that users wait for.
    """
    subscription = Subscription(event, handler, f"{handler.__module__}.{handler.__qualname__}", at_once)
    subscribed = _subscriptions.setdefault(event_name(event), [])
    if all(other.name != subscription.name for other in subscribed):
        subscribed.append(subscription)


def subscriptions() -> list[Subscription]:
    """Return all registered subscriptions."""
    return [subscription for subscribed in _subscriptions.values() for subscription in subscribed]


def publish(event: DomainEvent) -> None:
    """Write the event to the outbox and deliver it after the current transaction commits."""
    name = event_name(type(event))
    with transaction.atomic():
        for subscription in _subscriptions.get(name, []):
            message = OutboxMessage.objects.create(event=name, handler=subscription.name, payload=event.payload())
            if subscription.at_once:
                transaction.on_commit(partial(deliver, message.pk))
            else:
                enqueue(DELIVER_TASK, message.pk)


def deliver(pk: uuid.UUID | str) -> bool:
    """Run the handler of one outbox row and delete the row; False if already delivered, in delivery or failed.

    A failing handler is logged by the type of its error (error texts may contain patient data) and retried by
    :func:`deliver_due` with exponential back-off.
    """
    try:
        with transaction.atomic():
            message = _lock(pk)
            if message is None:
                return False
            subscription = _find(message)
            if subscription is not None:
                subscription.handler(subscription.event.from_payload(message.payload))
            message.delete()
    except Exception as error:
        _postpone(pk, error)
        return False
    return True


def deliver_due(*, limit: int = 500) -> int:
    """Deliver overdue events (process killed, message lost, or handler failed) and return how many succeeded."""
    waiting = OutboxMessage.objects.filter(due_at__lte=timezone.now()).order_by("due_at")
    return sum(deliver(pk) for pk in list(waiting.values_list("pk", flat=True)[:limit]))


def _lock(pk: uuid.UUID | str) -> OutboxMessage | None:
    rows = OutboxMessage.objects.filter(pk=pk)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    return rows.first()


def _find(message: OutboxMessage) -> Subscription | None:
    for subscription in _subscriptions.get(message.event, []):
        if subscription.name == message.handler:
            return subscription
    logger.error("%s has no handler %s any more: dropped", message.event, message.handler)
    return None


def _postpone(pk: uuid.UUID | str, error: Exception) -> None:
    row = OutboxMessage.objects.filter(pk=pk).first()
    if row is None:
        return
    delay = min(FIRST_RETRY * 2**row.attempts, LAST_RETRY)
    OutboxMessage.objects.filter(pk=pk).update(attempts=F("attempts") + 1, due_at=timezone.now() + delay)
    logger.error("%s: %s failed (%s), attempt %d", row.event, row.handler, type(error).__name__, row.attempts + 1)

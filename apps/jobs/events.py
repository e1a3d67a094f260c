"""Domain events: what happened, told to the apps above through an outbox.

An app publishes events of its own (``events.py``) and never knows who listens. Subscribers register a handler in their
``AppConfig.ready``. Publishing writes one outbox row for each handler in the publisher's transaction: what is rolled
back is never told, and what is committed is told at least once. A handler runs in one transaction with the removal of
its row, so its writes to the database happen exactly once; what it does elsewhere must bear being repeated.

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
    """Something that happened, named in the past tense.

    Fields are ids, flags and codes (str, bool, int, UUID): the outbox is not sealed, so nothing of a patient's data
    goes into them. A handler reads the rows that the ids name.
    """

    def payload(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return {
            name: str(value) if isinstance(value, uuid.UUID) else value
            for name, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_payload(cls: type[E], payload: dict[str, Any]) -> E:
        """The event of a stored payload."""
        types = get_type_hints(cls)
        return cls(**{name: uuid.UUID(value) if types[name] is uuid.UUID else value for name, value in payload.items()})


E = TypeVar("E", bound=DomainEvent)
Handler = Callable[[Any], object]


@dataclasses.dataclass(frozen=True)
class Subscription:
    """A handler of an event.

    Attributes:
        name: dotted name of the handler, kept in the outbox.
        at_once: whether the publishing process runs it right after its commit; otherwise a worker does.
    """

    event: type[DomainEvent]
    handler: Handler
    name: str
    at_once: bool


_subscriptions: dict[str, list[Subscription]] = {}


def event_name(event: type[DomainEvent]) -> str:
    """``imaging.InstanceStored``: under which the outbox keeps it."""
    return f"{event.__module__.split('.')[-2]}.{event.__name__}"


def subscribe(event: type[DomainEvent], handler: Handler, *, at_once: bool = False) -> None:
    """Have ``handler`` called with each published ``event``; subscribing twice changes nothing.

    Args:
        at_once: for handlers of milliseconds that users wait for: run by the publishing process after its commit.
    """
    subscription = Subscription(event, handler, f"{handler.__module__}.{handler.__qualname__}", at_once)
    subscribed = _subscriptions.setdefault(event_name(event), [])
    if all(other.name != subscription.name for other in subscribed):
        subscribed.append(subscription)


def subscriptions() -> list[Subscription]:
    """Who listens to what."""
    return [subscription for subscribed in _subscriptions.values() for subscription in subscribed]


def publish(event: DomainEvent) -> None:
    """Tell the subscribers once the current transaction has committed."""
    name = event_name(type(event))
    with transaction.atomic():
        for subscription in _subscriptions.get(name, []):
            message = OutboxMessage.objects.create(event=name, handler=subscription.name, payload=event.payload())
            if subscription.at_once:
                transaction.on_commit(partial(deliver, message.pk))
            else:
                enqueue(DELIVER_TASK, message.pk)


def deliver(pk: uuid.UUID | str) -> bool:
    """Run the handler of one outbox row and remove the row; False if it is delivered already or not due yet.

    A handler that fails is logged by the type of its error (texts of errors may hold patient data) and tried again
    later, at growing intervals, by :func:`deliver_due`.
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
    """Deliver what was not delivered: its process was killed, its message lost, or its handler failed; how many."""
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

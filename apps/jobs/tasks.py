"""Task decorators with their Celery options, the sweeper, and event delivery. No other module sets Celery options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from celery import shared_task

from apps.jobs import events, leases, life_signs
from apps.jobs.enqueue import ACCELERATOR_QUEUES, SHORT_QUEUE
from apps.jobs.models import Urgency

F = TypeVar("F", bound=Callable[..., Any])


def short_task(name: str) -> Callable[[F], Any]:
    """Register a task that takes seconds and needs no model."""
    return shared_task(name=name, queue=SHORT_QUEUE, ignore_result=True, soft_time_limit=60, time_limit=90)


def accelerator_task(name: str) -> Callable[[F], Any]:
    """Register a task that runs a model, on a GPU where the worker has one."""
    queue = ACCELERATOR_QUEUES[Urgency.INTERACTIVE]
    return shared_task(name=name, queue=queue, ignore_result=True, soft_time_limit=600, time_limit=660)


@short_task("jobs.sweep")
def sweep() -> None:
    """Re-queue jobs with expired leases and deliver overdue events."""
    leases.sweep()
    events.deliver_due()


@short_task(events.DELIVER_TASK)
def deliver_event(pk: str) -> None:
    """Run one handler of a domain event."""
    events.deliver(pk)


@short_task("jobs.give_sign")
def give_sign(queue: str) -> None:
    """Record that a queue's workers are alive; the clock sends this task to each queue."""
    life_signs.give_sign(life_signs.queue_sign(queue))

"""Sending tasks to the broker after commit."""

from __future__ import annotations

import logging
import uuid

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.jobs.models import Job, Urgency

logger = logging.getLogger(__name__)

SHORT_QUEUE = "short"
ACCELERATOR_QUEUES = {Urgency.INTERACTIVE: "accelerator", Urgency.BACKGROUND: "accelerator.background"}
ALL_QUEUES = (SHORT_QUEUE, *ACCELERATOR_QUEUES.values())
"""In the order in which a worker that consumes all of them should poll."""


def enqueue(name: str, pk: uuid.UUID | str, *, queue: str = SHORT_QUEUE, delay: float = 0.0) -> None:
    """Send the task ``name`` with the id ``pk`` after the current transaction commits.

    Args:
        delay: countdown in seconds before the task may start.

    If the broker is unreachable nothing is lost: the row stays queued and the sweeper sends the task again.
    """
    transaction.on_commit(lambda: _send(name, str(pk), queue, delay))


def enqueue_job(job: Job, *, delay: float = 0.0) -> None:
    """Send a job's task to the queue for its urgency."""
    enqueue(job.task_name, job.pk, queue=ACCELERATOR_QUEUES[Urgency(job.urgency)], delay=delay)


def _send(name: str, pk: str, queue: str, delay: float) -> None:
    try:
        current_app.send_task(name, args=[pk], queue=queue, retry=False, countdown=delay or None)
    except (OperationalError, OSError):
        logger.warning("broker unreachable: %s %s stays queued until the next sweep", name, pk)

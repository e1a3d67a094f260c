"""Whether the clock and the workers live: they say so regularly, and others read how long ago that was."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from apps.jobs.leases import job_models
from apps.jobs.models import LifeSign, State

CLOCK = "clock"
MIN_PATIENCE_SECONDS = 60


def queue_sign(queue: str) -> str:
    """The name of a queue's life sign."""
    return f"queue {queue}"


def give_sign(name: str) -> None:
    """Record that the part of this name lives now."""
    LifeSign.objects.update_or_create(name=name, defaults={"at": timezone.now()})


def seconds_since(name: str) -> float | None:
    """Seconds since the last sign of this name; None if there never was one."""
    at = LifeSign.objects.filter(name=name).values_list("at", flat=True).first()
    return None if at is None else (timezone.now() - at).total_seconds()


def patience() -> float:
    """Seconds without a sign after which a part counts as gone: four rounds of the clock, and at least a minute."""
    return max(4 * settings.JOB_SWEEP_SECONDS, MIN_PATIENCE_SECONDS)


def has_live_lease(now: datetime | None = None) -> bool:
    """Whether a worker holds a job at this moment.

    A worker in the middle of a long job answers no message, but it renews its lease.
    """
    now = now or timezone.now()
    running = (model._default_manager.filter(state=State.RUNNING, lease_until__gt=now) for model in job_models())
    return any(rows.exists() for rows in running)

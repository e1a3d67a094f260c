"""Liveness of the clock and the workers: each updates a timestamp that the readiness check reads."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from apps.jobs.leases import job_models
from apps.jobs.models import LifeSign, State

CLOCK = "clock"
MIN_PATIENCE_SECONDS = 60


def queue_sign(queue: str) -> str:
    """Return the name of a queue's life sign."""
    return f"queue {queue}"


def give_sign(name: str) -> None:
    """Record that the named component is alive now."""
    LifeSign.objects.update_or_create(name=name, defaults={"at": timezone.now()})


def seconds_since(name: str) -> float | None:
    """Return the seconds since the component's last life sign; None if there is none."""
    at = LifeSign.objects.filter(name=name).values_list("at", flat=True).first()
    return None if at is None else (timezone.now() - at).total_seconds()


def patience() -> float:
    """Return the seconds without a life sign after which a component counts as down: four sweeps, at least a minute."""
    return max(4 * settings.JOB_SWEEP_SECONDS, MIN_PATIENCE_SECONDS)


def has_live_lease(now: datetime | None = None) -> bool:
    """Return whether a worker holds a job at this moment.

    A worker busy with a long job consumes no messages, but it renews its lease.
    """
    now = now or timezone.now()
    running = (model._default_manager.filter(state=State.RUNNING, lease_until__gt=now) for model in job_models())
    return any(rows.exists() for rows in running)

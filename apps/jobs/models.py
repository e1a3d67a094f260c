"""Base model of background jobs, the outbox of domain events, and scheduler state."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """State of a job. Refused is a result: the input is outside what the job was built for."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Failed")


FINAL_STATES = (State.SUCCEEDED, State.REFUSED, State.FAILED)


class Urgency(models.IntegerChoices):
    """Whether a user waits for the job; each value has its own queue."""

    BACKGROUND = 0, _("Background")
    INTERACTIVE = 1, _("Interactive")


class Job(models.Model):
    """A unit of background work. The row is authoritative; the broker's message only triggers it.

    A subclass names its Celery task. A worker that claims the job holds a lease: a random token and an
    expiry time. Writing a result requires the current token, so at most one worker can do so.
    """

    task_name: ClassVar[str]
    max_attempts: ClassVar[int] = 3

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    urgency = models.SmallIntegerField(choices=Urgency, default=Urgency.INTERACTIVE)
    attempt = models.PositiveSmallIntegerField(default=0)
    progress = models.PositiveSmallIntegerField(default=0, help_text="Percent.")
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True)
    reason_code = models.CharField(max_length=40, blank=True)
    reason_parameters = models.JSONField(default=dict, blank=True)
    queued_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True, help_text="Not claimed before, after an error of the infrastructure.")
    finished_at = models.DateTimeField(null=True)
    seconds = models.JSONField(default=dict, blank=True, help_text="Seconds of each stage.")

    class Meta:
        abstract = True

    @property
    def finished(self) -> bool:
        """Whether the job has reached a final state; only an explicit retry changes it."""
        return self.state in FINAL_STATES

    @property
    def reason(self) -> str:
        """The reason for refusal or failure, in the current language."""
        from apps.jobs.errors import message

        return message(self.reason_code, self.reason_parameters)


def _first_due() -> datetime:
    return timezone.now() + timedelta(seconds=30)


class OutboxMessage(models.Model):
    """A domain event not yet delivered to one handler. Its payload holds ids, never patient data."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.CharField(max_length=80)
    handler = models.CharField(max_length=160)
    payload = models.JSONField()
    published_at = models.DateTimeField(auto_now_add=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(
        default=_first_due, db_index=True, help_text="When the sweeper delivers it, if nobody has by then."
    )

    def __str__(self) -> str:
        return f"{self.event} for {self.handler}"


class LifeSign(models.Model):
    """The last heartbeat of a background component: the clock, or the workers of a queue."""

    name = models.CharField(max_length=60, primary_key=True)
    at = models.DateTimeField()


class ScheduledTask(models.Model):
    """The last run of a schedule entry. Stored, so that weekly tasks survive restarts of the clock."""

    name = models.CharField(max_length=100, primary_key=True)
    last_run_at = models.DateTimeField()

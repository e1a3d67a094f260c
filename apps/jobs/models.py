"""The row that is a job, and the outbox of domain events."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """Where a job stands. Refused is an answer: the input is not what the job was made for."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Failed")


FINAL_STATES = (State.SUCCEEDED, State.REFUSED, State.FAILED)


class Urgency(models.IntegerChoices):
    """Who waits for the job; each has a queue of its own."""

    BACKGROUND = 0, _("Background")
    INTERACTIVE = 1, _("Interactive")


class Job(models.Model):
    """A piece of work for a worker. The row is the truth; the broker's message is only a bell.

    A subclass names the task that does it. A worker that takes it holds a lease: a random token and
    a time. Whoever writes a result must still hold the token, so that of two workers only one does.
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
        """Whether nothing more will happen unless somebody asks for a retry."""
        return self.state in FINAL_STATES

    @property
    def reason(self) -> str:
        """Why it was refused or failed, in the reader's language."""
        from apps.jobs.errors import message

        return message(self.reason_code, self.reason_parameters)


def _first_due() -> datetime:
    return timezone.now() + timedelta(seconds=30)


class OutboxMessage(models.Model):
    """A domain event that one handler has yet to see. It holds ids, no data of patients."""

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
    """When a part that works out of sight last showed that it lives: the clock, or the workers of a queue."""

    name = models.CharField(max_length=60, primary_key=True)
    at = models.DateTimeField()


class ScheduledTask(models.Model):
    """When an entry of the schedule last ran. It outlives the clock's process, so weekly work survives restarts."""

    name = models.CharField(max_length=100, primary_key=True)
    last_run_at = models.DateTimeField()

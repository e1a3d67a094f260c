"""Celery beat with a schedule that survives restarts.

Celery's own scheduler counts intervals from its start: work that is due weekly never runs where the clock restarts more
often. Its persistent one keeps a shelve file, which needs a writable volume of its own and unpickles what lies there.
Here the time of the last run is a row. Two clocks by mistake do no harm: only the one that advances the row sends.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from celery.beat import Scheduler, SchedulingError
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from apps.jobs import life_signs
from apps.jobs.models import ScheduledTask

logger = logging.getLogger(__name__)

RETRY_SECONDS = 60
"""When an entry that could not be sent is tried again."""
SIGN_SECONDS = 10
PROMPT = timedelta(hours=1)
"""What runs at least this often runs at the first start too; rarer work waits for its interval."""


class DatabaseScheduler(Scheduler):
    """Named in the settings as ``apps.jobs.clock:DatabaseScheduler``."""

    _sign_due: datetime | None = None
    _heap: list[Any] | None
    """Celery's queue of entries; ``tick`` builds it from the schedule where there is none."""

    def setup_schedule(self) -> None:
        """Take the schedule of the settings over, each entry with the time at which it last ran."""
        self.merge_inplace(self.app.conf.beat_schedule)
        close_old_connections()
        rows = {row.name: row.last_run_at for row in ScheduledTask.objects.all()}
        now = timezone.now()
        entries: dict[str, Any] = self.schedule
        for entry in entries.values():
            interval = entry.schedule.run_every
            first = now - interval if interval < PROMPT else now
            entry.last_run_at = rows.get(entry.name) or _remember(entry.name, first)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due and show that the clock lives; returns seconds until the next look."""
        seconds: float = super().tick(*args, **kwargs)
        self._give_sign()
        return min(seconds, SIGN_SECONDS)

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Send a due entry, unless another clock has; what cannot be sent is tried again soon."""
        try:
            close_old_connections()
            if self._advance(entry):
                self.apply_async(entry, producer=producer, advance=False)
        except (DatabaseError, SchedulingError) as error:
            logger.error("the clock could not send %s: %s", entry.task, type(error).__name__)
            self._retry(entry)

    def _advance(self, entry: Any) -> bool:
        """Whether this clock runs the entry: the row holds the time that it knew, and now the new one."""
        rows = ScheduledTask.objects.filter(name=entry.name)
        advanced: Any = self.schedule[entry.name]
        if rows.filter(last_run_at__lte=entry.last_run_at).update(last_run_at=advanced.last_run_at):
            return True
        advanced.last_run_at = _remember(entry.name, advanced.last_run_at)
        self._heap = None
        return False

    def _retry(self, entry: Any) -> None:
        due_soon = timezone.now() - entry.schedule.run_every + timedelta(seconds=RETRY_SECONDS)
        self.schedule[entry.name].last_run_at = due_soon
        self._heap = None
        try:
            ScheduledTask.objects.filter(name=entry.name).update(last_run_at=entry.last_run_at)
        except DatabaseError:
            logger.error("the database cannot be reached: the clock goes on with what it remembers")

    def _give_sign(self) -> None:
        now = timezone.now()
        if self._sign_due is not None and now < self._sign_due:
            return
        self._sign_due = now + timedelta(seconds=SIGN_SECONDS)
        try:
            close_old_connections()
            life_signs.give_sign(life_signs.CLOCK)
        except DatabaseError as error:
            logger.error("the clock could not write its life sign: %s", type(error).__name__)


def _remember(name: str, at: datetime) -> datetime:
    row, _ = ScheduledTask.objects.get_or_create(name=name, defaults={"last_run_at": at})
    return row.last_run_at

"""Celery beat with a schedule that survives restarts.

Celery's default scheduler counts intervals from its own start, so a weekly task never runs if beat restarts more
often. Its persistent scheduler keeps a shelve file, which needs a writable volume and is unpickled on load.
Here the time of the last run is a database row. Two clocks running by mistake do no harm: only the one that advances
the row sends the task.
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
"""Delay before an entry that could not be sent is retried."""
SIGN_SECONDS = 10
PROMPT = timedelta(hours=1)
"""Entries with a shorter interval also run on the very first start; the others wait for one interval."""


class DatabaseScheduler(Scheduler):
    """Celery beat scheduler backed by :class:`ScheduledTask`; referenced as ``apps.jobs.clock:DatabaseScheduler``."""

    _sign_due: datetime | None = None
    _heap: list[Any] | None
    """Celery's priority queue of entries; ``tick`` rebuilds it from the schedule when it is None."""

    def setup_schedule(self) -> None:
        """Load the schedule from the settings and set each entry's last run from the database."""
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
        """Send due entries and write the clock's life sign; return seconds until the next tick."""
        seconds: float = super().tick(*args, **kwargs)
        self._give_sign()
        return min(seconds, SIGN_SECONDS)

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Send a due entry unless another clock already has; schedule a retry if it cannot be sent."""
        try:
            close_old_connections()
            if self._advance(entry):
                self.apply_async(entry, producer=producer, advance=False)
        except (DatabaseError, SchedulingError) as error:
            logger.error("the clock could not send %s: %s", entry.task, type(error).__name__)
            self._retry(entry)

    def _advance(self, entry: Any) -> bool:
        """Compare-and-set the entry's last run; False if another clock has advanced it already."""
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
            logger.error("database unreachable: the clock continues with its in-memory schedule")

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

"""The schedule survives restarts of the clock."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.exceptions import OperationalError
from django.conf import settings
from django.utils import timezone

from apps.jobs import life_signs
from apps.jobs.clock import RETRY_SECONDS, DatabaseScheduler
from apps.jobs.enqueue import ALL_QUEUES
from apps.jobs.models import LifeSign, ScheduledTask
from apps.jobs.tasks import give_sign
from tests import databases

DAY = 24 * 3600
SCHEDULE = {
    "weekly": {"task": "test.weekly", "schedule": 7 * DAY, "options": {"expires": DAY}},
    "often": {"task": "test.often", "schedule": 15, "options": {"expires": 15}},
}
START = datetime(2026, 11, 2, 8, 0, tzinfo=timezone.get_default_timezone())


class Clock:
    """A clock in a world whose time the test sets; each start is a new process' scheduler."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = START
        self.sent: list[str] = []
        self.broker_is_away = False
        self.app = Celery("test", broker="memory://")
        self.app.conf.beat_schedule = SCHEDULE
        monkeypatch.setattr(self.app, "now", lambda: self.now)
        monkeypatch.setattr(timezone, "now", lambda: self.now)
        monkeypatch.setattr("celery.schedules.schedule.now", lambda schedule: self.now)
        monkeypatch.setattr("apps.jobs.clock.close_old_connections", lambda: None)

    def start(self) -> DatabaseScheduler:
        scheduler = DatabaseScheduler(self.app)
        scheduler.send_task = self._send  # type: ignore[method-assign]
        return scheduler

    def _send(self, name: str, *args: Any, **options: Any) -> None:
        if self.broker_is_away:
            raise OperationalError("away")
        self.sent.append(name)

    def run(self, scheduler: DatabaseScheduler, after: timedelta) -> list[str]:
        """What is sent when this much time has passed."""
        self.now += after
        self.sent = []
        for _ in range(10):
            scheduler.tick()
        return sorted(self.sent)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_restart_after_six_days_runs_weekly_work_on_the_seventh(clock: Clock) -> None:
    assert clock.run(clock.start(), timedelta(0)) == ["test.often"], (
        "frequent work begins at once, weekly work does not"
    )
    second = clock.start()
    assert clock.run(second, timedelta(days=6)) == ["test.often"]
    third = clock.start()
    assert clock.run(third, timedelta(hours=23)) == ["test.often"]
    assert clock.run(third, timedelta(hours=1)) == ["test.often", "test.weekly"]
    assert clock.run(clock.start(), timedelta(days=6)) == ["test.often"]
    assert clock.run(clock.start(), timedelta(days=1)) == ["test.often", "test.weekly"]


def test_what_fell_due_while_the_clock_stood_still_runs_at_its_start(clock: Clock) -> None:
    clock.run(clock.start(), timedelta(0))
    clock.now += timedelta(days=9)
    assert clock.run(clock.start(), timedelta(0)) == ["test.often", "test.weekly"]


def test_of_two_clocks_only_one_sends(clock: Clock) -> None:
    first, second = clock.start(), clock.start()
    clock.run(first, timedelta(0))
    assert clock.run(second, timedelta(0)) == []
    assert clock.run(first, timedelta(days=7)) == ["test.often", "test.weekly"]
    assert clock.run(second, timedelta(seconds=1)) == []
    assert clock.run(second, timedelta(days=7)) == ["test.often", "test.weekly"], "it goes on when the other is gone"


def test_what_a_broker_did_not_take_is_sent_again(clock: Clock) -> None:
    scheduler = clock.start()
    clock.broker_is_away = True
    assert clock.run(scheduler, timedelta(days=7)) == []
    clock.broker_is_away = False
    assert clock.run(scheduler, timedelta(seconds=RETRY_SECONDS - 1)) == []
    assert clock.run(scheduler, timedelta(seconds=1)) == ["test.often", "test.weekly"]
    assert clock.run(scheduler, timedelta(days=6)) == ["test.often"]


def test_a_clock_that_stops_before_it_could_send_has_not_forgotten(clock: Clock) -> None:
    scheduler = clock.start()
    clock.broker_is_away = True
    clock.run(scheduler, timedelta(days=7))
    clock.broker_is_away = False
    assert clock.run(clock.start(), timedelta(0)) == ["test.often", "test.weekly"]


def test_the_clock_shows_that_it_lives(clock: Clock) -> None:
    scheduler = clock.start()
    clock.run(scheduler, timedelta(0))
    assert life_signs.seconds_since(life_signs.CLOCK) == 0
    clock.now += timedelta(seconds=70)
    assert life_signs.seconds_since(life_signs.CLOCK) == 70
    clock.run(scheduler, timedelta(0))
    assert life_signs.seconds_since(life_signs.CLOCK) == 0


def test_a_worker_gives_the_sign_of_its_queue(db: None) -> None:
    assert life_signs.seconds_since(life_signs.queue_sign("short")) is None
    give_sign("short")
    assert 0 <= (life_signs.seconds_since(life_signs.queue_sign("short")) or 0) < 5
    assert list(LifeSign.objects.values_list("name", flat=True)) == ["queue short"]


def test_messages_of_the_clock_expire_and_every_queue_is_asked() -> None:
    entries = settings.CELERY_BEAT_SCHEDULE.values()
    assert all(0 < entry["options"]["expires"] <= min(entry["schedule"], DAY) for entry in entries)
    asked = {entry["options"]["queue"] for entry in entries if entry["task"] == "jobs.give_sign"}
    assert asked == set(ALL_QUEUES) == set(settings.JOB_QUEUES)
    assert settings.CELERY_BEAT_SCHEDULER == "apps.jobs.clock:DatabaseScheduler"


LOOK = (
    "import atexit, sys; from medportal.__main__ import main; sys.argv[1:] = ['clock'];"
    "atexit.register(lambda: print([name for name in ('torch', 'shap') if name in sys.modules])); main()"
)


def _has_ticked(database: Path) -> bool:
    with sqlite3.connect(database) as connection:
        return bool(connection.execute("SELECT count(*) FROM jobs_lifesign WHERE name = 'clock'").fetchone()[0])


def test_the_clock_loads_no_task_and_stops_when_it_is_told(tmp_path: Path, database_templates: Path) -> None:
    environment = {**os.environ, "MEDPORTAL_DEMO": "1", "MEDPORTAL_VAR": str(tmp_path)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    where: dict[str, Any] = {"cwd": settings.BASE_DIR, "env": environment}
    if not databases.copy_files(database_templates, tmp_path, databases.SITE_FILES):
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True, **where)
    process = subprocess.Popen([sys.executable, "-c", LOOK], stdout=subprocess.PIPE, text=True, **where)
    try:
        until = time.monotonic() + 120
        while not _has_ticked(tmp_path / "medportal.sqlite3"):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.2)
        process.terminate()
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0 and output.strip() == "[]"
    messages = list((tmp_path / "queue/messages").glob("*.msg"))
    assert any(".short." in message.name for message in messages), "what is due at the first start was sent"


def test_rows_hold_when_each_entry_last_ran(clock: Clock) -> None:
    clock.run(clock.start(), timedelta(0))
    assert dict(ScheduledTask.objects.values_list("name", "last_run_at")) == {"weekly": START, "often": START}

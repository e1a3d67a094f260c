"""Each part that the site needs is asked for by name, and none can hold the answer up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.core.files.storage import storages
from django.db import connections
from django.test import Client
from django.utils import timezone
from kombu import Connection

from apps.inference.models import PackageVersion
from apps.jobs import life_signs
from apps.jobs.enqueue import ALL_QUEUES
from apps.jobs.models import LifeSign
from apps.portal import readiness
from apps.portal.readiness import OK, PARTS

WORKERS = {f"worker {queue}" for queue in ALL_QUEUES}


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    readiness.forget()
    yield
    readiness.forget()


def _use_broker(monkeypatch: pytest.MonkeyPatch, url: str, **options: Any) -> None:
    def connect(**given: Any) -> Connection:
        return Connection(url, **options, **given)

    monkeypatch.setattr(current_app._get_current_object(), "connection_for_write", connect)


@pytest.fixture
def live_site(packages: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site whose clock and workers have just given their signs, with a broker in memory."""
    _use_broker(monkeypatch, "memory://")
    life_signs.give_sign(life_signs.CLOCK)
    for queue in ALL_QUEUES:
        life_signs.give_sign(life_signs.queue_sign(queue))


def _ask(query: str = "") -> tuple[int, dict[str, str]]:
    answer = Client().get(f"/readyz{query}")
    assert answer.json()["ready"] == (answer.status_code == 200)
    return answer.status_code, answer.json()["parts"]


def _wrong(parts: dict[str, str]) -> set[str]:
    return {name for name, text in parts.items() if text != OK}


def test_a_site_is_ready_when_every_part_works(live_site: None) -> None:
    status, parts = _ask()
    assert parts == dict.fromkeys(PARTS, OK) and status == 200
    assert parts.keys() == WORKERS | {
        "database", "key database", "migrations", "key migrations", "keyring", "models", "blob store",
        "broker", "clock",
    }  # fmt: skip


def test_without_a_model_it_is_not(live_site: None) -> None:
    PackageVersion.objects.update(active=False)
    status, parts = _ask()
    assert status == 503 and _wrong(parts) == {"models"}


def test_a_silent_clock_and_a_silent_worker_are_named(live_site: None) -> None:
    past = timezone.now() - timedelta(seconds=life_signs.patience() + 5)
    LifeSign.objects.filter(name=life_signs.CLOCK).update(at=past)
    LifeSign.objects.filter(name=life_signs.queue_sign("short")).delete()
    status, parts = _ask()
    assert status == 503 and _wrong(parts) == {"clock", "worker short"}
    assert parts["worker short"] == "no task has ever run" and parts["clock"].startswith("last tick ")
    assert _ask("?exclude=clock&exclude=workers")[0] == 200
    assert not WORKERS & _ask("?exclude=workers")[1].keys()


def test_a_worker_in_a_long_job_counts_as_live(live_site: None, monkeypatch: pytest.MonkeyPatch) -> None:
    LifeSign.objects.exclude(name=life_signs.CLOCK).delete()
    monkeypatch.setattr(life_signs, "has_live_lease", lambda: True)
    assert _wrong(_ask()[1]) == {"worker short"}, "jobs with leases run on the accelerators' queues"


@pytest.mark.parametrize(("alias", "part"), [("default", "migrations"), ("keys", "key migrations")])
def test_a_missing_migration_is_seen_in_either_database(live_site: None, alias: str, part: str) -> None:
    with connections[alias].cursor() as cursor:
        app = "protection" if alias == "keys" else "jobs"
        cursor.execute("DELETE FROM django_migrations WHERE app = %s", [app])
    status, parts = _ask()
    assert status == 503 and _wrong(parts) == {part}


def test_a_blob_store_that_cannot_be_written_is_named(live_site: None, sealed_store: Path) -> None:
    sealed_store.write_text("a file where the folder should be")
    status, parts = _ask()
    assert status == 503 and _wrong(parts) == {"blob store"}
    assert str(sealed_store) not in str(parts), "no path leaves the machine"


def test_a_probe_leaves_nothing_behind(live_site: None, sealed_store: Path) -> None:
    assert _ask()[0] == 200
    assert not [path for path in sealed_store.rglob("*") if path.is_file()]


def test_a_part_that_hangs_is_given_up(live_site: None, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[str] = []

    def save(name: str, content: Any) -> str:
        saved.append(name)
        time.sleep(1.5)
        return name

    monkeypatch.setattr(storages["sealed"], "save", save)
    monkeypatch.setattr(readiness, "CHECK_SECONDS", 0.2)
    began = time.monotonic()
    assert _wrong(_ask()[1]) == _wrong(_ask()[1]) == {"blob store"}
    assert time.monotonic() - began < 1.4
    assert len(saved) == 1, "a probe that hangs is not joined by a second one"


def test_a_broker_that_is_away_is_named_without_its_address(live_site: None, monkeypatch: pytest.MonkeyPatch) -> None:
    _use_broker(monkeypatch, "redis://:secret@127.0.0.1:9/0")
    status, parts = _ask()
    assert status == 503 and _wrong(parts) == {"broker"}
    assert "secret" not in str(parts) and "127.0.0.1" not in str(parts)


@pytest.mark.parametrize(("mode", "status"), [(0o700, 200), (None, 503)])
def test_a_queue_of_files_is_asked_too(
    live_site: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int | None, status: int
) -> None:
    if mode is None:
        (tmp_path / "queue").write_text("a file where the folder should be")
    folders = {name: str(tmp_path / "queue") for name in ("data_folder_in", "data_folder_out", "control_folder")}
    _use_broker(
        monkeypatch, "filesystem://", transport="apps.jobs.filesystem_broker:Transport", transport_options=folders
    )
    assert _ask()[0] == status
    assert (_wrong(_ask()[1]) == {"broker"}) == (status == 503)


def test_liveness_asks_nobody(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Client().get("/healthz").status_code == 200

"""Readiness checks of everything the site needs, each named and bounded in time."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, cast

from celery import current_app
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import ChannelError

from apps.inference.queries import installed
from apps.jobs import life_signs
from apps.jobs.enqueue import ALL_QUEUES, SHORT_QUEUE
from apps.protection.keyring import keyring
from apps.protection.router import KEYS

logger = logging.getLogger(__name__)

OK = "ok"
CHECK_SECONDS = 3.0
"""Time limit of one check."""
CACHE_SECONDS = 2.0
"""How long a result is cached, so that frequent probes do not load the blob store and the broker."""


class NotReady(Exception):
    """A part is not ready. The text is fixed, never an address or a driver's message."""


@dataclass(frozen=True)
class Readiness:
    """Result of each check by name: ``ok``, or the problem."""

    parts: dict[str, str]

    @property
    def ready(self) -> bool:
        """Whether every checked part is ready."""
        return all(answer == OK for answer in self.parts.values())


def readiness(exclude: Iterable[str] = ()) -> Readiness:
    """Check every part but the excluded ones.

    Args:
        exclude: names of parts; ``workers`` means the workers of all queues.
    """
    excluded = set(exclude)
    if "workers" in excluded:
        excluded |= {name for name in PARTS if name.startswith("worker ")}
    parts: dict[str, str] = {}
    for name, check in PARTS.items():
        if name not in excluded:
            # Wait for an unreachable database only once.
            dependency = parts.get(_database_of(name), OK)
            parts[name] = dependency if dependency != OK else _answer(name, check)
    return Readiness(parts)


def _database(alias: str) -> None:
    connection = connections[alias]
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SET LOCAL statement_timeout = {int(CHECK_SECONDS * 1000)}")
        cursor.execute("SELECT 1")


_migrated: set[str] = set()
"""Databases with all migrations applied, which does not change while the process runs."""


def _migrations(alias: str) -> None:
    if alias in _migrated:
        return
    executor = MigrationExecutor(connections[alias])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReady("migrations are missing: run 'medportal prepare'")
    _migrated.add(alias)


def _keyring() -> None:
    try:
        keyring()
    except Exception as error:
        raise NotReady("the keyring cannot be opened") from error


def _models() -> None:
    if not installed().filter(active=True).exists():
        raise NotReady("no model is installed: run 'medportal prepare'")


def _blob_store() -> None:
    store, content = storages["sealed"], uuid.uuid4().bytes
    name = store.save(f"probe/{uuid.uuid4()}", ContentFile(content))
    try:
        with store.open(name) as file:
            if file.read() != content:
                raise NotReady("the content read differs from the content written")
    finally:
        store.delete(name)


def _broker() -> None:
    with current_app.connection_for_write(connect_timeout=CHECK_SECONDS) as connection:
        connection.ensure_connection(max_retries=0, timeout=int(CHECK_SECONDS))
        with cast(Any, connection).channel() as channel:
            try:
                channel.queue_declare(SHORT_QUEUE, passive=True)
            except ChannelError as error:  # no worker has declared the queue yet, but the broker answered
                logger.debug("queue %s: %s", SHORT_QUEUE, type(error).__name__)


def _worker(queue: str) -> None:
    seconds = life_signs.seconds_since(life_signs.queue_sign(queue))
    silent = seconds is None or seconds > life_signs.patience()
    if silent and not (queue != SHORT_QUEUE and life_signs.has_live_lease()):
        raise NotReady("no task has ever run" if seconds is None else f"last task {seconds:.0f} s ago")


def _clock() -> None:
    seconds = life_signs.seconds_since(life_signs.CLOCK)
    if seconds is None or seconds > life_signs.patience():
        raise NotReady("never ticked" if seconds is None else f"last tick {seconds:.0f} s ago")


Check = Callable[[], None]
PARTS: dict[str, Check] = {
    "database": lambda: _database(DEFAULT_DB_ALIAS),
    "key database": lambda: _database(KEYS),
    "migrations": lambda: _migrations(DEFAULT_DB_ALIAS),
    "key migrations": lambda: _migrations(KEYS),
    "keyring": _keyring,
    "models": _models,
    "blob store": lambda: _bounded("blob store", _blob_store),
    "broker": lambda: _bounded("broker", _broker),
    "clock": _clock,
    **{f"worker {queue}": lambda queue=queue: _worker(queue) for queue in ALL_QUEUES},  # type: ignore[misc]
}


def _database_of(name: str) -> str:
    """Return the database on which a check depends; empty if none."""
    if name == "key migrations":
        return "key database"
    return "database" if name in ("migrations", "models", "clock") or name.startswith("worker ") else ""


_running: dict[str, Future[None]] = {}
_done: dict[str, tuple[float, str]] = {}
_lock = threading.Lock()


def _answer(name: str, check: Check) -> str:
    try:
        check()
    except NotReady as problem:
        return str(problem)
    except DatabaseError as error:
        logger.error("readiness: %s: %s", name, type(error).__name__)
        return "the database does not answer"
    except Exception as error:  # drivers raise anything; the text may contain an address
        logger.error("readiness: %s: %s", name, type(error).__name__)
        return "does not answer"
    return OK


def _bounded(name: str, check: Check) -> None:
    """Run a check without a driver-side time-out in a thread, at most one at a time, and cache its result."""
    with _lock:
        at, answer = _done.get(name, (0.0, ""))
        if answer and time.monotonic() - at < CACHE_SECONDS:
            if answer != OK:
                raise NotReady(answer)
            return
        future = _running.get(name)
        if future is None or future.done():
            future = _running[name] = Future()
            threading.Thread(target=_run_check, args=[future, check], daemon=True, name=f"readiness {name}").start()
    try:
        future.result(timeout=CHECK_SECONDS)
    except TimeoutError:
        raise NotReady(f"no answer within {CHECK_SECONDS:.0f} s") from None
    except Exception as error:
        answer = str(error) if isinstance(error, NotReady) else "does not answer"
        _done[name] = (time.monotonic(), answer)
        raise
    _done[name] = (time.monotonic(), OK)


def _run_check(future: Future[None], check: Check) -> None:
    try:
        check()
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(None)


def forget() -> None:
    """Clear cached results, so that the next checks run again."""
    _done.clear()
    _running.clear()
    _migrated.clear()

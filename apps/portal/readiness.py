"""What the site needs to work, each part asked for by name and within a bound of time."""

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
SECONDS = 3.0
"""How long one part may take to answer."""
CACHE_SECONDS = 2.0
"""How long an answer counts: whoever asks without end costs the blob store and the broker nothing."""


class NotReady(Exception):
    """A part that does not work; its text is fixed words, never an address or a message of a driver."""


@dataclass(frozen=True)
class Readiness:
    """The answer of each part by name: ``ok``, or what is wrong."""

    parts: dict[str, str]

    @property
    def ready(self) -> bool:
        """Whether every part that was asked works."""
        return all(answer == OK for answer in self.parts.values())


def readiness(exclude: Iterable[str] = ()) -> Readiness:
    """Ask every part but the excluded ones.

    Args:
        exclude: names of parts; ``workers`` stands for every queue's worker.
    """
    left_out = set(exclude)
    if "workers" in left_out:
        left_out |= {name for name in PARTS if name.startswith("worker ")}
    parts: dict[str, str] = {}
    for name, check in PARTS.items():
        if name not in left_out:
            # A database that is away is waited for once.
            needed = parts.get(_database_of(name), OK)
            parts[name] = needed if needed != OK else _answer(name, check)
    return Readiness(parts)


def _database(alias: str) -> None:
    connection = connections[alias]
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SET LOCAL statement_timeout = {int(SECONDS * 1000)}")
        cursor.execute("SELECT 1")


_migrated: set[str] = set()
"""Databases whose migrations were all applied once: that does not change while a process runs."""


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
                raise NotReady("what was written is not what is read")
    finally:
        store.delete(name)


def _broker() -> None:
    with current_app.connection_for_write(connect_timeout=SECONDS) as connection:
        connection.ensure_connection(max_retries=0, timeout=int(SECONDS))
        with cast(Any, connection).channel() as channel:
            try:
                channel.queue_declare(SHORT_QUEUE, passive=True)
            except ChannelError as error:  # no worker has made the queue yet: the broker answered all the same
                logger.debug("queue %s: %s", SHORT_QUEUE, type(error).__name__)


def _worker(queue: str) -> None:
    seconds = life_signs.seconds_since(life_signs.queue_sign(queue))
    silent = seconds is None or seconds > life_signs.patience()
    if silent and not (queue != SHORT_QUEUE and life_signs.has_live_lease()):
        raise NotReady("no task was ever done" if seconds is None else f"last task {seconds:.0f} s ago")


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
    """The part without which another part cannot answer; empty if there is none."""
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
    except Exception as error:  # whatever a driver raises; its text may hold an address
        logger.error("readiness: %s: %s", name, type(error).__name__)
        return "does not answer"
    return OK


def _bounded(name: str, check: Check) -> None:
    """Run a check that no driver bounds in a thread of its own; at most one at a time, its answer kept shortly."""
    with _lock:
        at, answer = _done.get(name, (0.0, ""))
        if answer and time.monotonic() - at < CACHE_SECONDS:
            if answer != OK:
                raise NotReady(answer)
            return
        future = _running.get(name)
        if future is None or future.done():
            future = _running[name] = Future()
            threading.Thread(target=_fulfil, args=[future, check], daemon=True, name=f"readiness {name}").start()
    try:
        future.result(timeout=SECONDS)
    except TimeoutError:
        raise NotReady(f"no answer within {SECONDS:.0f} s") from None
    except Exception as error:
        answer = str(error) if isinstance(error, NotReady) else "does not answer"
        _done[name] = (time.monotonic(), answer)
        raise
    _done[name] = (time.monotonic(), OK)


def _fulfil(future: Future[None], check: Check) -> None:
    try:
        check()
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(None)


def forget() -> None:
    """Drop kept answers, so that the next question is asked anew."""
    _done.clear()
    _running.clear()
    _migrated.clear()

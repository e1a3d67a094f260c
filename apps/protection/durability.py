"""Commits that survive a power cut before they are acknowledged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def durable_commit() -> Iterator[None]:
    """Write the transactions within to disk when they commit.

    PostgreSQL does. SQLite's write-ahead log is otherwise synced at checkpoints only, which is enough for rows that a
    user would notice missing, but not for what a sender may delete once it was acknowledged.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=FULL")
        try:
            yield
        finally:
            cursor.execute("PRAGMA synchronous=NORMAL")

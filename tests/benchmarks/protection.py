"""What sealing, auditing and verifying cost."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

from cryptography.fernet import Fernet
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from apps.accounts import audit, audit_chain
from apps.accounts.actors import System
from apps.accounts.models import AuditEntry
from apps.protection import blobs, keys
from apps.protection.reencryption import reencrypt
from tests.benchmarks.table import Row, median_seconds, paired_medians

FIELD = b"Lindqvist^Maria"
BLOB = os.urandom(8 * 2**20)
ENTRIES = 5_000
ACTOR = System("a benchmark")
Act = Callable[[], object]


def measure() -> Iterator[Row]:
    """After the worklist, which makes the databases."""
    fernet = Fernet(Fernet.generate_key())
    token, sealed = fernet.encrypt(FIELD), keys.seal("bench", FIELD, "place")
    yield _microseconds("field sealed, µs", lambda: keys.seal("bench", FIELD, "place"), lambda: fernet.encrypt(FIELD))
    yield _microseconds(
        "field opened, µs", lambda: keys.open_sealed("bench", sealed, "place"), lambda: fernet.decrypt(token)
    )
    big = keys.seal("bench", BLOB, "blob")
    for name, act in {
        "sealed": lambda: keys.seal("bench", BLOB, "blob"),
        "opened": lambda: keys.open_sealed("bench", big, "blob"),
    }.items():
        yield Row(f"8 MiB {name}, MiB/s", f"{8 / median_seconds(act, runs=9):.0f}")
    acts: dict[str, tuple[Act, Act]] = {
        "written": (lambda: blobs.write("b", BLOB, holder="bench"), lambda: _store().save("plain", ContentFile(BLOB))),
        "read": (lambda: blobs.read("b", holder="bench"), lambda: _store().open("plain").read()),
    }
    for name, pair in acts.items():
        mine, peer = paired_medians(*pair)
        speed = f"{8 / mine:.0f}", f"plain: {8 / peer:.0f}"
        yield Row(f"8 MiB blob {name} through the storage, MiB/s", *speed, mine / peer)
    entry = median_seconds(lambda: audit.record(ACTOR, "bench.read", why="treatment"), runs=201)
    yield Row("one audit entry, ms", f"{1000 * entry:.2f}", "limit: 1", 1000 * entry)
    for _ in range(ENTRIES):
        audit.record(ACTOR, "bench.read", why="treatment")
    count = AuditEntry.objects.count()
    seconds = median_seconds(audit_chain.verify, runs=3)
    yield Row(
        "trail verified, s per million entries", f"{seconds / count * 1e6:.0f}", "limit: 60", seconds / count * 1e6 / 60
    )


def reencryption() -> Iterator[Row]:
    """New data keys for everything that the worklist's part has made."""
    started = time.perf_counter()
    run = reencrypt(wait=False)
    seconds = time.perf_counter() - started
    yield Row("rows re-encrypted a second", f"{run.rows / seconds:.0f}", f"{run.rows:,} rows")


def _store() -> Storage:
    return storages["sealed"]


def _microseconds(name, ours, theirs) -> Row:  # type: ignore[no-untyped-def]
    mine, peer = (1e6 * median_seconds(lambda a=act: [a() for _ in range(500)], runs=9) / 500 for act in (ours, theirs))  # type: ignore[misc]
    return Row(name, f"{mine:.1f}", f"Fernet: {peer:.1f}", mine / peer)

"""Preparation of a site before its first start and after an upgrade.

Every step is idempotent, and only one process prepares at a time: containers that start together
wait for each other.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from django.conf import settings
from django.core.files.storage import storages
from django.core.management import call_command
from django.core.management.utils import get_random_secret_key
from django.db import connection

from apps.protection.keyring import write
from apps.protection.router import KEYS

ADVISORY_LOCK = 0x4D6564506F  # "MedPo", an arbitrary lock id
STAMP = ".collected"


def prepare(report: Callable[[str], None]) -> None:
    """Run every step.

    Args:
        report: called with the name of each step before it starts.

    Raises:
        CommandError: if a step fails, with the cause.
    """
    with exclusive_preparation():
        for name, step in STEPS.items():
            report(name)
            step()


@contextmanager
def exclusive_preparation() -> Iterator[None]:
    """Hold an exclusive lock: a file lock on this machine, plus an advisory lock in PostgreSQL across machines."""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.VAR_DIR / "prepare.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed
        with _advisory_lock() if connection.vendor == "postgresql" else nullcontext():
            yield


@contextmanager
def _advisory_lock() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])


def create_secret_key() -> None:
    """Create the secret key of the embedded default; elsewhere it comes from the environment."""
    file = settings.VAR_DIR / "secret-key"
    if settings.DEMO and not file.exists():
        write(file, get_random_secret_key())


def create_keyring() -> None:
    """Create a keyring, unless it exists or comes from the environment."""
    if not settings.KEYRING:
        call_command("keyring", "init", "--if-missing")


def collect_static() -> None:
    """Collect scripts and styles in ``STATIC_ROOT``, unless they are there from the same build."""
    stamp, build = Path(settings.STATIC_ROOT) / STAMP, _static_build()
    if stamp.is_file() and stamp.read_text() == build:
        return
    call_command("collectstatic", "--noinput", "--verbosity", "0")
    stamp.write_text(build)


def _static_build() -> str:
    manifest = Path(settings.STATICFILES_DIRS[0], "manifest.json").read_bytes()
    storage = type(storages["staticfiles"]).__qualname__
    return hashlib.sha256(manifest + f"{settings.VERSION} {storage}".encode()).hexdigest()


STEPS: dict[str, Callable[[], object]] = {
    "secret key": create_secret_key,
    "keyring": create_keyring,
    "database": lambda: call_command("migrate", "--verbosity", "0"),
    "key database": lambda: call_command("migrate", "--database", KEYS, "--verbosity", "0"),
    "models": lambda: call_command("models"),
    "guidelines": lambda: call_command("guidelines"),
    "static files": collect_static,
}

"""Everything that has to be done before the site starts: at the first start, and after an upgrade.

Each step leaves alone what is done already, and only one process prepares at a time: containers that start together
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

ADVISORY_LOCK = 0x4D6564506F  # "MedPo"; the number means nothing to others
STAMP = ".collected"


def prepare(report: Callable[[str], None]) -> None:
    """Do every step.

    Args:
        report: is called with the name of each step before it begins.

    Raises:
        CommandError: if a step cannot be done; it names the cause.
    """
    with one_at_a_time():
        for name, step in STEPS.items():
            report(name)
            step()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other process prepares: on this machine by a file's lock, on others by one in PostgreSQL."""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.VAR_DIR / "prepare.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # given back when the file is closed
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


def make_secret_key() -> None:
    """A secret key for the embedded default; elsewhere it comes from the environment."""
    file = settings.VAR_DIR / "secret-key"
    if settings.DEMO and not file.exists():
        write(file, get_random_secret_key())


def make_keyring() -> None:
    """A keyring, unless there is one or the environment holds it."""
    if not settings.KEYRING:
        call_command("keyring", "init", "--if-missing")


def collect_static() -> None:
    """Scripts and styles in ``STATIC_ROOT``, unless they are there from the same build."""
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
    "secret key": make_secret_key,
    "keyring": make_keyring,
    "database": lambda: call_command("migrate", "--verbosity", "0"),
    "key database": lambda: call_command("migrate", "--database", KEYS, "--verbosity", "0"),
    "models": lambda: call_command("models"),
    "codes": lambda: call_command("codes", "--if-missing"),
    "guidelines": lambda: call_command("guidelines"),
    "static files": collect_static,
}

"""Test databases copied from a migrated template, which is kept between runs.

Migrating takes as long as hundreds of tests. The template is named by a digest of every migration, so a changed
migration makes a new one. SQLite keeps it as files in pytest's cache, PostgreSQL as a database of the server.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.db import connections
from django.test.utils import setup_databases

Configuration = list[tuple[Any, str, bool]]
SITE_FILES = {"default": "medportal.sqlite3", "keys": "keys.sqlite3"}
"""Names of a site's databases in its folder, by alias."""


def digest() -> str:
    """A digest of Django's version and of every migration of the installed apps."""
    hashed = hashlib.sha256(django.get_version().encode())
    for app in sorted(apps.get_app_configs(), key=lambda app: app.name):
        for path in sorted(Path(app.path, "migrations").glob("*.py")):
            hashed.update(f"{app.label}/{path.name}".encode() + path.read_bytes())
    return hashed.hexdigest()[:16]


def create(cache: Path) -> Configuration:
    """Create this process's test databases from the template, which the first process makes.

    Args:
        cache: folder for templates of SQLite and for the lock.

    Returns:
        what ``django.test.utils.teardown_databases`` needs.
    """
    name = digest()
    with _lock(cache / "lock"):
        templates = [_template(connections[alias], cache, name) for alias in connections]
        if all(template.exists() for template in templates):
            return [template.copy() for template in templates]
        configuration = setup_databases(verbosity=0, interactive=False, serialized_aliases=set())
        for template in templates:
            template.save()
        return configuration


def copy_files(cache: Path, folder: Path, names: dict[str, str]) -> bool:
    """Copy SQLite's templates as databases of another process.

    Args:
        names: file names by alias.

    Returns:
        whether there were templates; there are none where the tests run on PostgreSQL.
    """
    templates = {alias: cache / f"{digest()}-{alias}.sqlite3" for alias in names}
    if not all(path.is_file() for path in templates.values()):
        return False
    for alias, path in templates.items():
        shutil.copyfile(path, folder / names[alias])
    return True


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Held by one process of this machine at a time; the system frees it with the process."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _template(connection: Any, cache: Path, name: str) -> _SQLiteTemplate | _PostgreSQLTemplate:
    if connection.vendor == "sqlite":
        return _SQLiteTemplate(connection, cache / f"{name}-{connection.alias}.sqlite3")
    return _PostgreSQLTemplate(connection, f"medportal_template_{name}_{connection.alias}")


def _use(connection: Any, name: str) -> tuple[Any, str, bool]:
    """Point a connection at its test database."""
    previous = connection.settings_dict["NAME"]
    connection.close()
    settings.DATABASES[connection.alias]["NAME"] = connection.settings_dict["NAME"] = name
    return connection, previous, True


class _SQLiteTemplate:
    """A file."""

    def __init__(self, connection: Any, path: Path) -> None:
        self.connection, self.path = connection, path

    def exists(self) -> bool:
        return self.path.is_file()

    def save(self) -> None:
        for old in self.path.parent.glob(f"*-{self.connection.alias}.sqlite3"):
            old.unlink()
        part = self.path.with_suffix(".part")
        part.unlink(missing_ok=True)
        with sqlite3.connect(self.connection.settings_dict["NAME"]) as database:
            database.execute("VACUUM INTO ?", [str(part)])
        part.replace(self.path)

    def copy(self) -> tuple[Any, str, bool]:
        name = self.connection.creation._get_test_db_name()
        shutil.copyfile(self.path, name)
        return _use(self.connection, name)


class _PostgreSQLTemplate:
    """A database of the same server."""

    def __init__(self, connection: Any, name: str) -> None:
        self.connection, self.name = connection, name

    def exists(self) -> bool:
        with self.connection.creation._nodb_cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.name])
            return cursor.fetchone() is not None

    def save(self) -> None:
        self._duplicate(self.connection.settings_dict["NAME"], self.name)

    def copy(self) -> tuple[Any, str, bool]:
        name = self.connection.creation._get_test_db_name()
        self._duplicate(self.name, name)
        return _use(self.connection, name)

    def _duplicate(self, source: str, target: str) -> None:
        self.connection.close()
        with self.connection.creation._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{target}"')
            cursor.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')

"""Options of the databases."""

from __future__ import annotations

from typing import Any

_SQLITE = "PRAGMA journal_mode=WAL; PRAGMA synchronous={}; PRAGMA secure_delete=ON;"
_LARGE = "PRAGMA cache_size=-32000; PRAGMA mmap_size=134217728;"


def with_options(databases: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Complete the databases ``default`` and ``keys`` by what MedPortal needs of them."""
    for name, database in databases.items():
        database.setdefault("CONN_MAX_AGE", 600)  # the web process's threads keep their connections
        database.setdefault("CONN_HEALTH_CHECKS", True)
        if database["ENGINE"] == "django.db.backends.sqlite3":
            pragmas = _SQLITE.format("FULL") if name == "keys" else _SQLITE.format("NORMAL") + _LARGE
            database["OPTIONS"] = {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": pragmas}
        elif database["ENGINE"] == "django.db.backends.postgresql":
            database.setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
    return databases

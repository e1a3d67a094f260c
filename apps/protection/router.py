"""Which database holds the keys."""

from __future__ import annotations

from typing import Any

KEYS = "keys"


class KeysApart:
    """Data keys lie in the database ``keys``, everything else in ``default``."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """Where the model is read."""
        return KEYS if model._meta.app_label == "protection" else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Tables of this app only there, all others never."""
        return (db == KEYS) == (app_label == "protection")

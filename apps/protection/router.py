"""Database router that separates the data keys."""

from __future__ import annotations

from typing import Any

KEYS = "keys"


class KeysRouter:
    """Route the models of this app to the database ``keys``, everything else to ``default``."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """Return the database of this app's models; None for others."""
        return KEYS if model._meta.app_label == "protection" else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Migrate this app only in ``keys``, and all others never there."""
        return (db == KEYS) == (app_label == "protection")

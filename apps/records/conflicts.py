"""Optimistic locking: conflicts between concurrent edits."""

from __future__ import annotations

from typing import Any

from apps.jobs.errors import UserError


class EditConflict(UserError):
    """Someone else saved first. ``now`` is the stored version."""

    def __init__(self, code: str, now: Any) -> None:
        super().__init__(code)
        self.now = now

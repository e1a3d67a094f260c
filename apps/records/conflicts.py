"""Two people edited the same thing."""

from __future__ import annotations

from typing import Any

from apps.jobs.errors import UserError


class EditConflict(UserError):
    """Somebody else saved first. ``now`` is what is stored."""

    def __init__(self, code: str, now: Any) -> None:
        super().__init__(code)
        self.now = now

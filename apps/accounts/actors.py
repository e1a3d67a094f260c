"""Who acts: a signed-in user, or the system for a stated reason. Nobody is not an actor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from apps.accounts.models import User


@dataclass(frozen=True)
class System:
    """The software itself; ``reason`` is written into the audit trail."""

    reason: str

    def __post_init__(self) -> None:
        if not self.reason:
            raise ValueError("the system acts only for a stated reason")


Actor: TypeAlias = "User | System"

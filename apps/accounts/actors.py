"""Who acts: a signed-in user, or the system for a stated reason. Nobody is not an actor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from django.http import HttpRequest

if TYPE_CHECKING:
    from rest_framework.request import Request

    from apps.accounts.models import User


@dataclass(frozen=True)
class System:
    """The software itself; ``reason`` is written into the audit trail."""

    reason: str

    def __post_init__(self) -> None:
        if not self.reason:
            raise ValueError("the system acts only for a stated reason")


Actor: TypeAlias = "User | System"


def signed_in(request: HttpRequest | Request) -> User:
    """The user of a request that a guard has let through."""
    if not request.user.is_authenticated:
        raise PermissionError("this page needs a guard: nobody is signed in")
    return request.user

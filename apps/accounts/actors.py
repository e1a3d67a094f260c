"""Who acts: a signed-in user, or the system for a stated reason. Nobody is not an actor. And from where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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


@dataclass(frozen=True)
class Origin:
    """Where an act comes from: network address, and which sign-in or token (a keyed digest)."""

    source: str = ""
    session: str = ""


_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039  # it is frozen


def origin() -> Origin:
    """Where the current act comes from; empty in a worker or command."""
    return _origin.get()


@contextmanager
def acting_from(source: Origin) -> Iterator[None]:
    """Within the block acts come from there."""
    token = _origin.set(source)
    try:
        yield
    finally:
        _origin.reset(token)


def signed_in(request: HttpRequest | Request) -> User:
    """The user of a request that a guard has let through."""
    if not request.user.is_authenticated:
        raise PermissionError("this page needs a guard: nobody is signed in")
    return request.user

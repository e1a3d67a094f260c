"""Actors (a signed-in user, or the system for a stated reason) and the origin of their requests."""

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
    """The software itself; ``reason`` is recorded in the audit trail."""

    reason: str

    def __post_init__(self) -> None:
        if not self.reason:
            raise ValueError("the system acts only for a stated reason")


Actor: TypeAlias = "User | System"


@dataclass(frozen=True)
class Origin:
    """Origin of an action: network address, and a keyed digest of the session or token."""

    source: str = ""
    session: str = ""


_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039  # it is frozen


def origin() -> Origin:
    """Return the origin of the current action; empty in workers and commands."""
    return _origin.get()


@contextmanager
def acting_from(source: Origin) -> Iterator[None]:
    """Set the origin of actions within the block."""
    token = _origin.set(source)
    try:
        yield
    finally:
        _origin.reset(token)


def signed_in(request: HttpRequest | Request) -> User:
    """Return the user of a request that has passed a guard.

    Raises:
        PermissionError: if the view has no guard and nobody is signed in.
    """
    if not request.user.is_authenticated:
        raise PermissionError("this page needs a guard: nobody is signed in")
    return request.user

"""Writing sign-ins and changes of factors into the trail: the libraries' signals, heard."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from apps.accounts import audit
from apps.accounts.actors import System
from apps.accounts.models import Outcome, User

NOBODY = System("not signed in")


def listen() -> None:
    """Hear what happens to sessions and factors."""
    user_logged_in.connect(_in, dispatch_uid="audit.in")
    user_logged_out.connect(_out, dispatch_uid="audit.out")
    user_login_failed.connect(_failed, dispatch_uid="audit.failed")
    password_changed.connect(_password, dispatch_uid="audit.password")
    for name, signal in {
        "added": authenticator_added,
        "removed": authenticator_removed,
        "reset": authenticator_reset,
    }.items():
        signal.connect(_factor(name), dispatch_uid=f"audit.factor.{name}", weak=False)


def _in(user: User, **kwargs: Any) -> None:
    audit.record(user, "session.began", user)


def _out(user: User | None, **kwargs: Any) -> None:
    if user is not None:
        audit.record(user, "session.ended", user)


def _failed(credentials: dict[str, Any], **kwargs: Any) -> None:
    """What was typed is not kept: passwords end up in the username field."""
    name = credentials.get("username") or credentials.get("login") or ""
    known = User.objects.filter(username=name).first()
    audit.record(NOBODY, "session.refused", known, outcome=Outcome.REFUSED)


def _password(user: User, **kwargs: Any) -> None:
    User.objects.filter(pk=user.pk).update(given_password_until=None)
    audit.record(user, "password.changed", user)


def _factor(change: str) -> Any:
    def heard(user: User, authenticator: Any, **kwargs: Any) -> None:
        audit.record(user, f"factor.{change}", user, kind=str(authenticator.type))

    return heard

"""Audit entries for sign-ins, passwords and second factors, written from the libraries' signals."""

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
    """Connect the signal receivers."""
    user_logged_in.connect(_on_login, dispatch_uid="audit.in")
    user_logged_out.connect(_on_logout, dispatch_uid="audit.out")
    user_login_failed.connect(_on_login_failed, dispatch_uid="audit.failed")
    password_changed.connect(_on_password_changed, dispatch_uid="audit.password")
    for name, signal in {
        "added": authenticator_added,
        "removed": authenticator_removed,
        "reset": authenticator_reset,
    }.items():
        signal.connect(_on_factor_changed(name), dispatch_uid=f"audit.factor.{name}", weak=False)


def _on_login(user: User, **kwargs: Any) -> None:
    audit.record(user, "session.began", user)


def _on_logout(user: User | None, **kwargs: Any) -> None:
    if user is not None:
        audit.record(user, "session.ended", user)


def _on_login_failed(credentials: dict[str, Any], **kwargs: Any) -> None:
    """Record the failure without the typed text: users sometimes type passwords into the username field."""
    name = credentials.get("username") or credentials.get("login") or ""
    user = User.objects.filter(username=name).first()
    audit.record(NOBODY, "session.refused", user, outcome=Outcome.REFUSED)


def _on_password_changed(user: User, **kwargs: Any) -> None:
    User.objects.filter(pk=user.pk).update(given_password_until=None)
    audit.record(user, "password.changed", user)


def _on_factor_changed(change: str) -> Any:
    def receiver(user: User, authenticator: Any, **kwargs: Any) -> None:
        audit.record(user, f"factor.{change}", user, kind=str(authenticator.type))

    return receiver

"""Tokens for programs: made by their owner in the browser, shown once."""

from __future__ import annotations

from datetime import timedelta

from apps.accounts import audit
from apps.accounts.models import ApiToken, Scope, User

LONGEST_DAYS = 365


def make_token(
    user: User, *, name: str, scopes: list[str], days: int, actor: User | None = None
) -> tuple[ApiToken, str]:
    """A new token and its text, which is kept nowhere.

    Raises:
        ValueError: for an unknown scope or a life outside 1 to 365 days.
    """
    if not scopes or not set(scopes) <= set(Scope.values):
        raise ValueError("choose at least one of the scopes that exist")
    if not 1 <= days <= LONGEST_DAYS:
        raise ValueError(f"a token lives 1 to {LONGEST_DAYS} days")
    token, text = ApiToken.objects.create(user=user, expiry=timedelta(days=days), name=name, scopes=sorted(scopes))
    audit.record(actor or user, "token.created", user, scopes=sorted(scopes), days=days)
    return token, text


def revoke_token(token: ApiToken, *, actor: User) -> None:
    """End a token now.

    Raises:
        PermissionError: if it is somebody else's.
    """
    if token.user_id != actor.pk:
        raise PermissionError("only its owner revokes a token; administrators end all of a user's access")
    token.delete()
    audit.record(actor, "token.revoked", actor)

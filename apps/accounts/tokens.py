"""API tokens: created by their owner in the browser, shown once."""

from __future__ import annotations

from datetime import timedelta

from apps.accounts import audit
from apps.accounts.models import ApiToken, Scope, User
from apps.accounts.second_factor import lacks_second_factor

MAX_TOKEN_DAYS = 365


def make_token(
    user: User, *, name: str, scopes: list[str], days: int, actor: User | None = None
) -> tuple[ApiToken, str]:
    """Create a token; return it with its text, which is not stored.

    Raises:
        ValueError: for an unknown scope, a validity outside 1 to 365 days, or an owner without the second factor that
            the role requires.
    """
    if lacks_second_factor(user):
        raise ValueError(
            f"the role {user.role} requires a second factor and {user.username} has none: sign in and add a passkey or"
            " an authenticator app first"
        )
    if not scopes or not set(scopes) <= set(Scope.values):
        raise ValueError("choose at least one existing scope")
    if not 1 <= days <= MAX_TOKEN_DAYS:
        raise ValueError(f"a token is valid for 1 to {MAX_TOKEN_DAYS} days")
    token, text = ApiToken.objects.create(user=user, expiry=timedelta(days=days), name=name, scopes=sorted(scopes))
    audit.record(actor or user, "token.created", user, scopes=sorted(scopes), days=days)
    return token, text


def revoke_token(token: ApiToken, *, actor: User) -> None:
    """Revoke a token.

    Raises:
        PermissionError: if the token belongs to another user.
    """
    if token.user_id != actor.pk:
        raise PermissionError("only its owner may revoke a token; administrators end all of a user's access")
    token.delete()
    audit.record(actor, "token.revoked", actor)

"""Authentication of API requests by token."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from apps.accounts.models import ApiToken, User
from apps.accounts.second_factor import lacks_second_factor


class TokenAuthentication(KnoxTokenAuthentication):
    """knox's, for accounts that could also sign in.

    A role may come to require a second factor after a token was made. The token then rests: it works again as soon as
    its owner has set one up.
    """

    def validate_user(self, auth_token: ApiToken) -> tuple[User, ApiToken]:
        """Refuse inactive accounts and those that lack the second factor of their role."""
        user, token = super().validate_user(auth_token)
        if lacks_second_factor(user):
            raise AuthenticationFailed(
                _(
                    "The role of this token's owner requires a second factor. The owner has to sign in and add a"
                    " passkey or an authenticator app; then the token works again."
                ),
                code="second_factor_required",
            )
        return user, token


class TokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]  # registers itself with drf-spectacular
    """Describes the tokens in the OpenAPI schema."""

    target_class = "apps.accounts.token_auth.TokenAuthentication"

"""Whether an account has the second factor that its role requires."""

from __future__ import annotations

from allauth.mfa.utils import is_mfa_enabled
from allauth.socialaccount.models import SocialAccount
from django.conf import settings

from apps.accounts.models import User


def requires_second_factor(user: User) -> bool:
    """Whether the user's role requires a second factor at this site."""
    return user.role in settings.MFA_REQUIRED_ROLES


def lacks_second_factor(user: User) -> bool:
    """Whether the role requires a second factor that neither we nor the identity provider could ask for.

    With ``OIDC_DOES_MFA`` the provider checks the second factor of those who have signed in through it.
    """
    if not requires_second_factor(user) or is_mfa_enabled(user):
        return False
    return not (settings.OIDC_DOES_MFA and SocialAccount.objects.filter(user=user).exists())

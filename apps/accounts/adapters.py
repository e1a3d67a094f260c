"""What allauth asks us."""

from __future__ import annotations

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest

from apps.accounts.models import STAFF, User
from apps.protection import keys
from apps.protection.models import SITE


class ClosedSignup(DefaultAccountAdapter):
    """Accounts are given by the hospital; nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """Names come with the account."""


class SealedFactors(DefaultMFAAdapter):
    """Secrets of second factors are sealed like everything else."""

    def encrypt(self, text: str) -> str:
        return base64.b64encode(keys.seal(SITE, text.encode(), "second factor")).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return keys.open_sealed(SITE, base64.b64decode(encrypted_text), "second factor").decode()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The relying party is named after the site, its id is the host."""
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return {**entity, "name": "MedPortal"}


class HospitalSignIn(DefaultSocialAccountAdapter):
    """Single sign-on opens accounts that the hospital has made; it makes none."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """The first time, the provider's ``preferred_username`` names the staff account."""
        if sociallogin.is_existing:
            return
        claims = sociallogin.account.extra_data
        said = claims.get("userinfo", claims).get("preferred_username") or claims.get("preferred_username", "")
        user = User.objects.filter(username=said, role__in=STAFF, is_active=True).first() if said else None
        if user is not None:
            sociallogin.connect(request, user)

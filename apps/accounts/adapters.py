"""Adapters for django-allauth."""

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
    """Disables sign-up: accounts are created by the hospital."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """Keep the username set by the administrator."""


class SealedFactors(DefaultMFAAdapter):
    """Seals the secrets of second factors with the site's key."""

    def encrypt(self, text: str) -> str:
        return base64.b64encode(keys.seal(SITE, text.encode(), "second factor")).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return keys.open_sealed(SITE, base64.b64decode(encrypted_text), "second factor").decode()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Name the relying party after the product; its id is the host."""
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return {**entity, "name": "MedPortal"}


class HospitalSignIn(DefaultSocialAccountAdapter):
    """Single sign-on signs in to existing accounts only; it never creates one."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """On first use, link the staff account named by the provider's ``preferred_username``."""
        if sociallogin.is_existing:
            return
        claims = sociallogin.account.extra_data
        username = claims.get("userinfo", claims).get("preferred_username") or claims.get("preferred_username", "")
        user = User.objects.filter(username=username, role__in=STAFF, is_active=True).first() if username else None
        if user is not None:
            sociallogin.connect(request, user)

"""Behind a proxy, a flood of wrong passwords from one place shuts only that place out."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from apps.accounts.models import User

PROXY = "10.0.0.1"
PASSWORD = "correct horse battery staple"


def _sign_in(username: str, password: str, forwarded: str) -> bool:
    """Whether a sign-in works that comes through the proxy, which adds its peer's address to what it was sent."""
    client = Client(REMOTE_ADDR=PROXY, headers={"x-forwarded-for": forwarded})
    client.post("/accounts/login/", {"login": username, "password": password})
    return "_auth_user_id" in client.session


@pytest.fixture
def limits(settings: Any, doctor: User) -> Any:
    cache.clear()
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "10/5m/ip,5/5m/key"}
    doctor.set_password(PASSWORD)
    doctor.save()
    yield settings
    cache.clear()


@pytest.mark.parametrize(("proxies", "others_get_in"), [(1, True), (0, False)])
def test_ten_wrong_passwords_of_anybody(limits: Any, doctor: User, proxies: int, others_get_in: bool) -> None:
    """With the number of proxies that ``docker/compose.yaml`` states, and without: then all share one address."""
    limits.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    for number in range(11):
        assert not _sign_in(f"nobody{number}", "wrong", "198.51.100.7")
    assert _sign_in(doctor.username, PASSWORD, "203.0.113.9") is others_get_in
    assert not _sign_in(doctor.username, PASSWORD, "198.51.100.7"), "the flood's own address stays shut out"


def test_an_invented_address_does_not_help_the_flood(limits: Any, doctor: User) -> None:
    limits.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(11):
        _sign_in(f"nobody{number}", "wrong", f"192.0.2.{number}, 198.51.100.7")
    assert not _sign_in(doctor.username, PASSWORD, "192.0.2.77, 198.51.100.7")

"""A role that needs a second factor gets nowhere without one, except where it sets one up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.accounts.middleware import _FACTOR_SET_UP
from apps.accounts.models import ApiToken, Role, Scope, User
from tests.factories import browser_of

ARGUMENTS = {"pk": "1", "digest": "0", "provider_id": "hospital", "provider": "hospital"}
TOKEN = {"name": "mine", "scopes": [Scope.values[0]], "days": "30"}


def account_routes() -> Iterator[tuple[str, str]]:
    """Name and address of every page under accounts/."""

    def walk(patterns: list[Any], before: str, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        for pattern in patterns:
            converters = (*names, *pattern.pattern.regex.groupindex)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, before + str(pattern.pattern), converters)
            elif isinstance(pattern, URLPattern) and before.startswith("accounts/"):
                kwargs = {name: ARGUMENTS[name] for name in converters}
                yield str(pattern.name), reverse(str(pattern.name), kwargs=kwargs)

    yield from walk(get_resolver().url_patterns, "", ())


ROUTES = dict(account_routes())


@pytest.fixture(autouse=True)
def doctors_need_a_factor(settings: Any) -> None:
    settings.MFA_REQUIRED_ROLES = [Role.DOCTOR]


@pytest.fixture
def client(doctor: User) -> Client:
    return browser_of(doctor)


def sent_to_set_up(client: Client, method: str, address: str, **data: Any) -> bool:
    answer = getattr(client, method)(address, **data)
    return answer.status_code == 302 and answer.headers["Location"] == reverse("mfa_index")


def test_every_page_under_accounts_is_known_and_none_but_these_is_open() -> None:
    assert len(ROUTES) > 20
    assert set(ROUTES) >= _FACTOR_SET_UP


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", sorted(set(ROUTES) - _FACTOR_SET_UP))
def test_a_page_that_sets_no_factor_up_is_closed(name: str, method: str, client: Client) -> None:
    assert sent_to_set_up(client, method, ROUTES[name])


@pytest.mark.parametrize("name", sorted(_FACTOR_SET_UP - {"account_logout"}))
def test_a_page_that_sets_a_factor_up_is_open(name: str, client: Client) -> None:
    assert client.get(ROUTES[name]).status_code == 200 or not sent_to_set_up(client, "get", ROUTES[name])


@pytest.mark.parametrize("address", ["/", "/accounts/nowhere/", "/accounts/tokens/../tokens/", "/accounts//tokens/"])
def test_unusual_addresses_are_closed_too(address: str, client: Client) -> None:
    answer = client.get(address)
    assert answer.status_code == 302 and answer.headers["Location"] == reverse("mfa_index")


def test_no_token_is_given_before_the_factor_is_there(client: Client, doctor: User) -> None:
    assert sent_to_set_up(client, "post", reverse("account_tokens"), data=TOKEN)
    assert not ApiToken.objects.exists()
    Authenticator.objects.create(
        user=doctor, type=Authenticator.Type.TOTP, data={"secret": get_adapter().encrypt("A" * 32)}
    )
    client.post(reverse("account_tokens"), data=TOKEN)
    assert ApiToken.objects.filter(user=doctor).count() == 1


def test_roles_that_need_none_are_not_kept(nurse: User) -> None:
    assert browser_of(nurse).get(reverse("account_tokens")).status_code == 200

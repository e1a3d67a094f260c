"""A role that needs a second factor gets nowhere without one, except where it sets one up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.accounts.middleware import _FACTOR_SET_UP
from apps.accounts.models import ApiToken, Role, Scope, User
from apps.accounts.tokens import make_token
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


def add_factor(user: User) -> None:
    secret = get_adapter().encrypt("A" * 32)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": secret})


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
    add_factor(doctor)
    client.post(reverse("account_tokens"), data=TOKEN)
    assert ApiToken.objects.filter(user=doctor).count() == 1


def asked_with(text: str, **headers: str) -> Any:
    return Client(headers={"Authorization": f"Token {text}", **headers}).get(reverse("study-list"))


def test_a_token_made_before_the_role_needed_a_factor_rests_until_it_is_there(doctor: User, settings: Any) -> None:
    settings.MFA_REQUIRED_ROLES = []
    _, text = make_token(doctor, name="early", scopes=["studies:read"], days=1)
    assert asked_with(text).status_code == 200
    settings.MFA_REQUIRED_ROLES = [Role.DOCTOR]
    refused = asked_with(text)
    assert refused.status_code == 401 and "requires a second factor" in refused.json()["detail"]
    assert "双重验证" in asked_with(text, **{"Accept-Language": "zh-Hans"}).json()["detail"]
    add_factor(doctor)
    assert asked_with(text).status_code == 200


def test_a_factor_of_the_identity_provider_counts_for_tokens_where_it_is_trusted(doctor: User, settings: Any) -> None:
    SocialAccount.objects.create(user=doctor, provider="hospital", uid="doctor")
    settings.OIDC_DOES_MFA = True
    _, text = make_token(doctor, name="program", scopes=["studies:read"], days=1)
    assert asked_with(text).status_code == 200
    settings.OIDC_DOES_MFA = False
    assert asked_with(text).status_code == 401


def test_the_command_makes_no_token_that_would_be_refused(doctor: User) -> None:
    with pytest.raises(CommandError, match="requires a second factor and doctor has none: sign in and add"):
        call_command("make_token", "doctor", "--scope", "studies:read")
    assert not ApiToken.objects.exists()


def test_roles_that_need_none_are_not_kept(nurse: User) -> None:
    assert browser_of(nurse).get(reverse("account_tokens")).status_code == 200

"""Every route of the project by every role, with another patient's ids: a new route without a row fails."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.accounts.models import User
from apps.accounts.tokens import make_token
from tests.factories import browser_of
from tests.portal.route_table import IGNORED, ROLES, TABLE, addresses


def route_names(resolver: URLResolver, namespace: str = "") -> set[str]:
    names: set[str] = set()
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            if entry.name:
                names.add(f"{namespace}{entry.name}")
        else:
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            names |= route_names(entry, inner)
    return names


def test_every_route_has_a_row() -> None:
    assert route_names(get_resolver()) - set(IGNORED) == set(TABLE)


def test_every_route_by_every_role(
    subtests: pytest.Subtests, arguments: dict[str, str], people: list[User | None], doctor: User
) -> None:
    """One test, since the site that it needs takes long to make; what changes the site comes last."""
    with subtests.test("no route answers a token's wrong scope"):
        refuses_the_wrong_scope(arguments, doctor)
    with subtests.test("another patient's names are on no page of others"):
        names_nobody_else(arguments, people)
    with subtests.test("every role gets the answer of the table"):
        answers_as_the_table_says(arguments, people)


def refuses_the_wrong_scope(given: dict[str, str], doctor: User) -> None:
    _, text = make_token(doctor, name="models only", scopes=["models:read"], days=1)
    client = Client(headers={"Authorization": f"Token {text}"})
    assert client.get(reverse("model-list")).status_code == 200
    for name, method, url in addresses(given):
        if url.startswith(("/api/", "/dicom-web/", "/cds-services/")) and not name.startswith(("model-", "audit-")):
            assert getattr(client, method)(url).status_code == 403, name


def names_nobody_else(given: dict[str, str], people: list[User | None]) -> None:
    for role, user in zip(ROLES[3:8], people[3:8], strict=True):
        client = browser_of(user)
        for name, method, url in addresses(given):
            if method == "get":
                answer = client.get(url, follow=True)
                body = b"".join(answer.streaming_content) if answer.streaming else answer.content
                assert b"Lindqvist" not in body and b"MRN-1" not in body, (name, role)


def answers_as_the_table_says(given: dict[str, str], people: list[User | None]) -> None:
    """Each role keeps its browser: signing in for each of 1,700 requests takes longer than they do."""
    wrong = []
    browsers = [browser_of(user) for user in people]
    for name, method, url in addresses(given):
        for role, browser, status in zip(ROLES, browsers, TABLE[name][2], strict=True):
            answer = getattr(browser, method)(url)
            if answer.status_code != status:
                wrong.append((name, role, answer.status_code, status))
    assert not wrong, "\n" + "\n".join(map(str, wrong))

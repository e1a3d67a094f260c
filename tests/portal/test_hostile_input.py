"""Whatever is thrown at any route: never a server error."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle

from apps.accounts.models import User
from tests.factories import browser_of
from tests.portal.route_table import TABLE, addresses

NUMBERS = ("²", "9" * 30)
"""What reads like a number and is none that a database holds; other kinds: test_untrusted_input."""
JSON_BODIES = [
    b"[" * 200_000,
    b"[" * 500 + b"]" * 500,
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    b"[]", b"null", b'"text"', b"NaN", b"\xff", b"",
    b'{"text": "\\u0000", "code": "\\ud800", "value": 1e999, "cells": [1e400], "at": "\\u0000"}',
    b'{"text": [], "code": {}, "value": [], "values": 3, "cells": {}, "kind": null, "hook": 1, "context": []}',
    b'{"values": {"HR": "\\u00b2"}, "cells": [99999999999999999999999], "revision": 99999999999999999999999}',
    b'{"depth": "NaN", "revision": "\\u00b2", "context": {"patientId": "\\u00b2"}, "hook": "patient-view"}',
]  # fmt: skip
FIELDS = (
    "after", "page", "cursor", "search", "q", "code", "text", "status", "kind", "revision", "minutes", "chosen", "tab",
    "patient", "by", "style", "opacity", "at", "since", "start", "end", "title", "reason", "act", "verdict", "value",
    "next", "csrfmiddlewaretoken",
)  # fmt: skip


Fault = tuple[str, str, str, object]


def throw(client: Client, name: str, method: str, address: str, *args: Any, **options: Any) -> list[Fault]:
    """The answer as a fault if it is a server error."""
    try:
        status = getattr(client, method)(address, *args, **options).status_code
    except Exception as error:  # the test client lets a view's error through
        return [(name, method, str(args)[:60], repr(error)[:160])]
    answered = status < 500 or (
        name == "portal:readyz" and status == 503
    )  # not ready is an answer: no worker runs here
    return [] if answered else [(name, method, str(args)[:60], status)]


@pytest.fixture(autouse=True)
def unthrottled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused for being too many, no request would reach its view."""
    monkeypatch.setattr(SimpleRateThrottle, "allow_request", lambda self, request, view: True)


@pytest.mark.timeout(900)
def test_nothing_thrown_at_any_route_is_a_server_error(
    arguments: dict[str, str],
    doctor: User,
    admin_user: User,
    auditor: User,
    patient_user: User,
) -> None:
    """One test, since the site that it needs takes long to make."""
    clients = [browser_of(user) for user in (doctor, admin_user, auditor, patient_user)]
    faults = [*queries(arguments, clients), *forms(arguments, clients[:2]), *odd_addresses(clients[0], arguments)]
    program = APIClient(raise_request_exception=True)
    program.force_authenticate(doctor)
    faults += bodies(program, arguments)
    assert not faults, "\n".join(map(str, faults))


def queries(given: dict[str, str], clients: list[Client]) -> Iterator[Fault]:
    for name, method, address in addresses(given):
        if method == "get":
            for client in clients:
                yield from throw(client, name, "get", address, dict.fromkeys(FIELDS, NUMBERS[0]))
            for value in (NUMBERS[1], "\0"):
                yield from throw(clients[0], name, "get", address, dict.fromkeys(FIELDS, value))


def forms(given: dict[str, str], clients: list[Client]) -> Iterator[Fault]:
    for name, _method, address in addresses(given):
        if name != "account_logout":
            for client, value in itertools.product(clients, NUMBERS):
                yield from throw(client, name, "post", address, dict.fromkeys(FIELDS, value))
            yield from throw(clients[0], name, "post", address, dict.fromkeys(FIELDS, "x" * 20_000))


def bodies(program: APIClient, given: dict[str, str]) -> Iterator[Fault]:
    for name, _method, address in addresses(given):
        if ":" in name and name != "portal:csp-report":
            continue  # pages read forms
        for body in JSON_BODIES:
            yield from throw(program, name, "post", address, body, content_type="application/json")
        yield from throw(program, name, "patch", address, JSON_BODIES[0], content_type="application/json")


def odd_addresses(client: Client, given: dict[str, str]) -> Iterator[Fault]:
    odd = ("²", "1" * 40, "a%00b", "%ED%A0%80%FF")
    for name, (method, wanted, _statuses) in TABLE.items():
        base = reverse(name, args=[given[key] for key in wanted])
        for key in wanted:
            for text in odd:
                yield from throw(client, name, method, base.replace(given[key], text))

"""Numbers and JSON of strangers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.accounts.untrusted_input import MAX_JSON_DEPTH, MAX_NUMBER, parse_json, unstorable, whole_number
from tests.factories import browser_of


@given(st.integers(0, MAX_NUMBER))
def test_numbers_are_read(number: int) -> None:
    assert whole_number(str(number)) == number


@pytest.mark.parametrize(
    "text",
    ["²", "٣", "１２", "1_0", " 7", "7 ", "+1", "-1", "1.0", "1e3", "", None, "9" * 400, str(MAX_NUMBER + 1), "7\0"],
    ids=ascii,
)
def test_what_only_looks_like_a_number_is_none(text: str | None) -> None:
    assert whole_number(text) == 0 and whole_number(text, default=None) is None


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_none(text: str) -> None:
    number = whole_number(text, default=None)
    assert number is None or str(number) == text.lstrip("0") or (number == 0 and not text.strip("0"))


LEAVES = st.none() | st.booleans() | st.integers() | st.text("ab肺")


@given(st.recursive(LEAVES, lambda part: st.lists(part) | st.dictionaries(st.text("ab"), part), max_leaves=9))
def test_ordinary_json_is_read(value: Any) -> None:
    assert parse_json(json.dumps(value)) == value


HOSTILE = (
    "[" * 200_000,
    "[" * 200_000 + "]" * 200_000,
    '{"a":' * 100_000 + "1" + "}" * 100_000,
    "[" * (MAX_JSON_DEPTH + 1) + "]" * (MAX_JSON_DEPTH + 1),
    '"\\u0000"',
    '{"a\\u0000": 1}',
    '["\\ud800"]',
    "[1e999]",
    "[NaN]",
    "1" * 5000,
    b"\xff\xfe",
    "",
)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_json_is_no_json(number: int) -> None:
    with pytest.raises(ValueError):
        parse_json(HOSTILE[number])


def test_depth_is_counted_exactly() -> None:
    assert parse_json("[" * (MAX_JSON_DEPTH - 1) + "]" * (MAX_JSON_DEPTH - 1))


@pytest.mark.parametrize(
    ("method", "address", "data"),
    [("get", "/x%00y/", {}), ("get", "/", {"a": "\0"}), ("get", "/", {"\0": "a"}), ("post", "/", {"a": "x\0"})],
)
def test_a_nul_is_refused_wherever_it_stands(method: str, address: str, data: dict[str, str]) -> None:
    content_type = {"content_type": "application/x-www-form-urlencoded"} if method == "post" else {}
    body: Any = "a=x%00" if method == "post" else data
    answer = unstorable(getattr(RequestFactory(), method)(address, body, **content_type))
    assert answer is not None and answer.status_code == 400
    ordinary: Any = "a=%E8%82%BA" if method == "post" else {"a": "肺"}
    assert unstorable(getattr(RequestFactory(), method)("/", ordinary, **content_type)) is None


def test_pages_answer_400_to_a_nul(doctor: User) -> None:
    client: Client = browser_of(doctor)
    assert client.get(reverse("portal:worklist"), {"search": "a\0"}).status_code == 400

"""Parsing of untrusted request input, so that no input causes a server error."""

from __future__ import annotations

import json
import math
from typing import Any, overload

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

MAX_JSON_DEPTH = 64
"""FHIR's deepest resources need about 20."""
MAX_NUMBER = 2**31 - 1
MAX_DIGITS = 19
FORM = "application/x-www-form-urlencoded"


@overload
def whole_number(text: str | None, *, default: int = 0, maximum: int = MAX_NUMBER) -> int: ...
@overload
def whole_number(text: str | None, *, default: None, maximum: int = MAX_NUMBER) -> int | None: ...
def whole_number(text: str | None, *, default: int | None = 0, maximum: int = MAX_NUMBER) -> int | None:
    """Parse a number from 0 to ``maximum`` in ASCII digits; return the default for anything else.

    ``str.isdigit`` accepts "²" and digits of other scripts, ``int`` accepts "1_0" and " 7 ", and databases are limited
    to 64 bits: all numbers in requests are parsed here.
    """
    if not text or not text.isascii() or not text.isdigit() or len(text) > MAX_DIGITS:
        return default
    number = int(text)
    return number if number <= maximum else default


def storable_text(text: str) -> bool:
    """Return whether a text can be stored: PostgreSQL refuses NUL, and UTF-8 cannot encode lone surrogates."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def parse_json(content: bytes | str) -> Any:
    """Parse JSON that is safe to store and traverse.

    Raises:
        ValueError: if it is not JSON, is nested deeper than MAX_JSON_DEPTH, or contains a text that cannot be stored or
            a number that is not finite.
    """
    try:
        document = json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level = [document]
    for _depth in range(MAX_JSON_DEPTH):
        level = [part for value in level for part in _parts(value)]
        if not level:
            return document
    raise ValueError("nested too deeply")


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, list):
        return value
    if isinstance(value, str) and not storable_text(value):
        raise ValueError("a text contains a character that cannot be stored")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is not finite")
    return []


class StrictJSONParser(JSONParser):
    """Responds 400 to JSON that :func:`parse_json` rejects."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return parse_json(stream.read())
        except ValueError as error:
            raise ParseError(f"JSON parse error: {error}"[:200]) from None


def unstorable(request: HttpRequest) -> HttpResponse | None:
    """Return a 400 response if path, query or form contain a character that cannot be stored."""
    fields = [request.GET]
    if request.content_type == FORM:
        fields.append(request.POST)
    texts = [request.path, *(text for field in fields for name in field for text in (name, *field.getlist(name)))]
    if all(storable_text(text) for text in texts):
        return None
    return HttpResponse("The address or the form contains a character that cannot be stored.", status=400)

"""Reading what a request brings, so that nothing a stranger can write ends as a server error."""

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
def whole_number(text: str | None, *, default: int = 0, most: int = MAX_NUMBER) -> int: ...
@overload
def whole_number(text: str | None, *, default: None, most: int = MAX_NUMBER) -> int | None: ...
def whole_number(text: str | None, *, default: int | None = 0, most: int = MAX_NUMBER) -> int | None:
    """A number from 0 to ``most`` as ASCII digits, else the default.

    ``str.isdigit`` is true of "²" and of digits of other scripts, ``int`` reads "1_0" and " 7 ", and databases end at
    64 bits: this is the one place where text of a request becomes a number.
    """
    if not text or not text.isascii() or not text.isdigit() or len(text) > MAX_DIGITS:
        return default
    number = int(text)
    return number if number <= most else default


def storable_text(text: str) -> bool:
    """Whether a text can be kept: PostgreSQL takes no NUL, and UTF-8 has no lone surrogates."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def parse_json(content: bytes | str) -> Any:
    """JSON as it may be stored and looked through.

    Raises:
        ValueError: if it is no JSON, nested deeper than MAX_JSON_DEPTH, or holds a text that cannot be stored or a
            number that is not finite.
    """
    try:
        whole = json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level = [whole]
    for _depth in range(MAX_JSON_DEPTH):
        level = [part for value in level for part in _parts(value)]
        if not level:
            return whole
    raise ValueError("nested too deeply")


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, list):
        return value
    if isinstance(value, str) and not storable_text(value):
        raise ValueError("a text holds a character that cannot be stored")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is not finite")
    return []


class StrictJSONParser(JSONParser):
    """Answers 400 to whatever :func:`parse_json` refuses."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return parse_json(stream.read())
        except ValueError as error:
            raise ParseError(f"JSON parse error: {error}"[:200]) from None


def unstorable(request: HttpRequest) -> HttpResponse | None:
    """An answer of 400 if address, query or form hold a character that cannot be stored or searched for."""
    fields = [request.GET]
    if request.content_type == FORM:
        fields.append(request.POST)
    texts = [request.path, *(text for field in fields for name in field for text in (name, *field.getlist(name)))]
    if all(storable_text(text) for text in texts):
        return None
    return HttpResponse("The address or the form holds a character that cannot be stored.", status=400)

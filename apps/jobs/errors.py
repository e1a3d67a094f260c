"""Reasons a person may read.

A job that cannot be done says why by a code and parameters, not by the text of an exception: texts
of exceptions may hold patient data, and a code can be read in every language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_SENTENCES: dict[str, str | Promise] = {
    "worker_lost": _(
        "The worker stopped in the middle, several times. Try again; if it happens again, tell the administrator."
    ),
    "internal": _(
        "An unexpected error stopped the work. It is logged under the job's number for the administrator. Try again."
    ),
}


class ReadableError(Exception):
    """An error whose reason a user may read: a registered code and parameters without patient data."""

    def __init__(self, code: str, **parameters: str | int | float) -> None:
        if code not in _SENTENCES:
            raise KeyError(f"register the sentence of {code!r} first")
        self.code, self.parameters = code, parameters
        super().__init__(code)

    def __str__(self) -> str:
        return sentence(self.code, self.parameters)


class Refusal(ReadableError):
    """The input is not what the work was made for: an answer, not a fault."""


def register_sentences(sentences: Mapping[str, str | Promise]) -> None:
    """Add an app's sentences; a code that is taken is a programming error.

    Raises:
        KeyError: if another app already uses a code.
    """
    taken = {code for code, text in sentences.items() if _SENTENCES.get(code, text) != text}
    if taken:
        raise KeyError(f"reason codes taken: {', '.join(sorted(taken))}")
    _SENTENCES.update(sentences)


def sentence(code: str, parameters: Mapping[str, Any]) -> str:
    """The sentence of a code in the current language; empty for no code."""
    if not code:
        return ""
    return str(_SENTENCES.get(code, _SENTENCES["internal"])) % dict(parameters)

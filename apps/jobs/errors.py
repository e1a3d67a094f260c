"""Reasons a person may read.

A job that cannot be done says why by a code and parameters, not by the text of an exception: texts
of exceptions may hold patient data, and a code can be read in every language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_MESSAGES: dict[str, str | Promise] = {
    "worker_lost": _(
        "Processing stopped unexpectedly several times. Try again; if it happens again, contact your administrator."
    ),
    "internal": _(
        "An unexpected error occurred. It has been logged under the job number for the administrator. Try again."
    ),
}


class UserError(Exception):
    """An error whose reason a user may read: a registered code and parameters without patient data."""

    def __init__(self, code: str, **parameters: str | int | float) -> None:
        if code not in _MESSAGES:
            raise KeyError(f"register the sentence of {code!r} first")
        self.code, self.parameters = code, parameters
        super().__init__(code)

    def __str__(self) -> str:
        return message(self.code, self.parameters)


class Refusal(UserError):
    """The input is not what the work was made for: an answer, not a fault."""


def register_messages(messages: Mapping[str, str | Promise]) -> None:
    """Add an app's messages; a code that is taken is a programming error.

    Raises:
        KeyError: if another app already uses a code.
    """
    taken = {code for code, text in messages.items() if _MESSAGES.get(code, text) != text}
    if taken:
        raise KeyError(f"reason codes taken: {', '.join(sorted(taken))}")
    _MESSAGES.update(messages)


def message(code: str, parameters: Mapping[str, Any]) -> str:
    """The sentence of a code in the current language; empty for no code."""
    if not code:
        return ""
    return str(_MESSAGES.get(code, _MESSAGES["internal"])) % dict(parameters)

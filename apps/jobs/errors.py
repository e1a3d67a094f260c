"""Errors with a user-readable reason.

A failed or refused job stores a reason code and parameters, not the text of an exception: exception texts
may contain patient data, and a code can be translated.
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
    """An error to show to the user: a registered code and parameters free of patient data."""

    def __init__(self, code: str, **parameters: str | int | float) -> None:
        if code not in _MESSAGES:
            raise KeyError(f"no message is registered for {code!r}")
        self.code, self.parameters = code, parameters
        super().__init__(code)

    def __str__(self) -> str:
        return message(self.code, self.parameters)


class Refusal(UserError):
    """The input is outside what the job was built for: an expected outcome, not a fault."""


def register_messages(messages: Mapping[str, str | Promise]) -> None:
    """Register an app's messages by reason code.

    Raises:
        KeyError: if another app already uses a code.
    """
    duplicates = {code for code, text in messages.items() if _MESSAGES.get(code, text) != text}
    if duplicates:
        raise KeyError(f"reason codes already registered: {', '.join(sorted(duplicates))}")
    _MESSAGES.update(messages)


def message(code: str, parameters: Mapping[str, Any]) -> str:
    """Return the message for a code in the current language; empty for an empty code."""
    if not code:
        return ""
    return str(_MESSAGES.get(code, _MESSAGES["internal"])) % dict(parameters)

"""What is wrong with a release."""

from __future__ import annotations


class WrongRelease(ValueError):
    """A release that is truncated, damaged, mixed from versions, or none; the message says what to do."""

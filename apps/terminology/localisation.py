"""Titles that are stored in several languages: of codes, model cards and guidelines."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import get_language


def in_language(titles: Mapping[str, str]) -> str:
    """The title in the reader's language; English where that is missing.

    Args:
        titles: by Django's language code, ``en`` always among them.
    """
    return titles.get(get_language() or "en", titles["en"])

"""Titles stored in several languages: of codes, model cards and guidelines."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import get_language


def in_language(titles: Mapping[str, str]) -> str:
    """Return the title in the current language, or in English if it is missing.

    Args:
        titles: by Django language code; must include ``en``.
    """
    return titles.get(get_language() or "en", titles["en"])

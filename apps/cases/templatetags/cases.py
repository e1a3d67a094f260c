"""Template filters that turn stored codes into text."""

from __future__ import annotations

from django import template

from apps.inference.models import Verdict
from apps.terminology.localisation import in_language as localised
from apps.terminology.units import SHOWN

register = template.Library()


@register.filter
def in_language(words: dict[str, str]) -> str:
    """A multilingual title in the reader's language."""
    return localised(words) if words else ""


@register.filter
def unit(ucum: str) -> str:
    """A UCUM unit in display form."""
    return SHOWN.get(ucum, ucum)


@register.filter
def verdict_words(text: str) -> str:
    """``agree:Dr. Brenner`` as "Agree, Dr. Brenner"."""
    verdict, _colon, who = text.partition(":")
    return f"{Verdict(verdict).label}, {who}" if verdict in Verdict.values else who

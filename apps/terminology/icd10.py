"""Search of ICD-10-CM codes, and their titles: bundled, no database needed."""

from __future__ import annotations

from dataclasses import dataclass

from apps.terminology import conditions
from apps.terminology.condition_search import search_conditions


@dataclass(frozen=True, slots=True)
class CodeWithTitle:
    """A code as the pages list it."""

    code: str
    title: str


def search_codes(text: str, *, limit: int = 20) -> list[CodeWithTitle]:
    """Find codes by code, name, abbreviation, lay word or Chinese name, best first."""
    return [CodeWithTitle(code, title_of(code)) for code in search_conditions(text, limit=limit)]


def title_of(code: str) -> str:
    """Return the title of an ICD-10-CM code; empty for one that does not exist."""
    return conditions.title_of(code)

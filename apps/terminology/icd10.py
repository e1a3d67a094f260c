"""Search of ICD-10-CM codes with their titles: bundled, no database needed."""

from __future__ import annotations

from dataclasses import dataclass

from apps.terminology.condition_search import search_conditions
from apps.terminology.conditions import title_of


@dataclass(frozen=True, slots=True)
class CodeWithTitle:
    """A code as the pages list it."""

    code: str
    title: str


def search_codes(text: str, *, limit: int = 20) -> list[CodeWithTitle]:
    """Find codes by code, name, abbreviation, lay word or Chinese name, best first."""
    return [CodeWithTitle(code, title_of(code)) for code in search_conditions(text, limit=limit)]

"""Codes suggested for the words of a statement."""

from __future__ import annotations

from apps.records.models import StatementKind
from apps.terminology.drugs import ingredients_of_code
from apps.terminology.resolution import Candidate, System, resolve

SYSTEMS: dict[str, tuple[System, ...]] = {
    StatementKind.PROBLEM: (),
    StatementKind.ALLERGY: ("allergen", "drug"),
    StatementKind.MEDICATION: ("drug",),
}
"""Where the words of a statement are looked up, the more specific system first."""
CERTAIN = 1.0


def candidates(kind: str, text: str) -> list[Candidate]:
    """Return what the words may mean, best first; those of the first system that knows them."""
    for system in SYSTEMS.get(kind, ()):
        if found := resolve(text, system):
            return found
    return []


def contradicts(kind: str, text: str, code: str) -> bool:
    """Return whether the words name exactly one substance, and the code another that shares no ingredient with it."""
    if "drug" not in SYSTEMS.get(kind, ()):
        return False
    named = [candidate for candidate in resolve(text, "drug") if candidate.certainty >= CERTAIN]
    coded = {ingredient.name.lower() for ingredient in ingredients_of_code(code)}
    return bool(len(named) == 1 and coded and named[0].ingredients and not coded & set(named[0].ingredients))


def exact_code(kind: str, text: str) -> str:
    """Return the code if the words name exactly one thing, else an empty text: a guess is not recorded."""
    found = candidates(kind, text)
    certain = [candidate for candidate in found if candidate.certainty >= CERTAIN and candidate.code]
    return certain[0].code if len(certain) == 1 == len(found) else ""

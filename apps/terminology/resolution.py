"""Resolve words to codes: one answer for notes, orders, allergies, guideline facts and search.

``resolve`` answers for a name that somebody typed, ``find_names`` looks for names in running text, ``reacts_with`` and
``subsumes`` relate allergens, drug classes and drugs. Nothing here reads the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal

from apps.terminology.allergens import Reaction, allergens_in_text, reacts_with, resolve_allergen, subsumes
from apps.terminology.candidates import Candidate
from apps.terminology.condition_search import conditions_in_text, resolve_condition
from apps.terminology.drug_resolution import drugs_in_text, resolve_drug
from apps.terminology.loinc import by_name
from apps.terminology.names import Token, tokens_of
from apps.terminology.vaccines import resolve_vaccine, vaccines_in_text

System = Literal["drug", "allergen", "condition", "observation", "vaccine"]


def resolve(text: str, system: System, language: str = "en") -> list[Candidate]:
    """Say what a name means in a system, best first.

    Args:
        text: one name, with or without dose, form and salt; both languages are understood whatever ``language`` says.

    Returns:
        Candidates; several where the name has several meanings; none if nothing known comes near.
    """
    return _RESOLVERS[system](text)


def find_names(text: str, systems: Iterable[System], language: str = "en") -> list[tuple[int, int, Candidate]]:
    """Find names in running text: the longest ones, whole words only, left to right.

    A word that also has an everyday meaning ("iron", "Soma") is only taken for a drug beside a dose or a dosage form.

    Returns:
        Start, end and best candidate of each name, by position.

    Raises:
        ValueError: for observations, whose names mean nothing without their values: the reader of values finds them.
    """
    if "observation" in (systems := list(systems)):
        raise ValueError("observations are read with their values: see the reader of values")
    tokens = tokens_of(text)
    found: list[tuple[int, int, Candidate]] = []
    for system in systems:
        found += _FINDERS[system](text, tokens)
    return sorted(found, key=lambda row: (row[0], -row[1]))


def _resolve_observation(text: str) -> list[Candidate]:
    """The measurement of a name or a LOINC code."""
    measure = by_name(text)
    return [Candidate("observation", measure.code, measure.title["en"], text, 1.0)] if measure else []


_RESOLVERS: Final[dict[str, Callable[[str], list[Candidate]]]] = {
    "drug": resolve_drug,
    "allergen": resolve_allergen,
    "condition": resolve_condition,
    "observation": _resolve_observation,
    "vaccine": resolve_vaccine,
}
_FINDERS: Final[dict[str, Callable[[str, list[Token]], list[tuple[int, int, Candidate]]]]] = {
    "drug": drugs_in_text,
    "allergen": allergens_in_text,
    "condition": conditions_in_text,
    "vaccine": vaccines_in_text,
}

__all__ = ["Candidate", "Reaction", "System", "find_names", "reacts_with", "resolve", "subsumes"]

"""Vaccines: CVX codes and the names that lead to them."""

from __future__ import annotations

from functools import cache

from apps.terminology.candidates import Candidate
from apps.terminology.data_files import own_lines
from apps.terminology.names import NameIndex, Token, key_of

DISEASE = "?"
"""Marks a name that is also the disease: it means the vaccine only where a vaccine is asked for."""


def resolve_vaccine(text: str) -> list[Candidate]:
    """The vaccine of a name or a CVX code; a name that leaves the product open has the "unspecified" code."""
    code = _codes().get(text.strip().zfill(2)) and text.strip().zfill(2)
    code = code or _names().get(key_of(text), "")
    return [Candidate("vaccine", code, _codes()[code], text, 1.0)] if code else []


def vaccines_in_text(text: str, tokens: list[Token]) -> list[tuple[int, int, Candidate]]:
    """Vaccines that running text names by a word for a vaccine, and not only by the disease."""
    found = []
    for first, after, key in _index().longest_names(text, tokens, lambda key, start, end: True):
        start, end = tokens[first].start, tokens[after - 1].end
        code = _names()[key]
        found.append((start, end, Candidate("vaccine", code, _codes()[code], text[start:end], 1.0)))
    return found


@cache
def _codes() -> dict[str, str]:
    return dict(line.split("\t") for line in own_lines("vaccines.tsv"))  # type: ignore[misc]


@cache
def _names() -> dict[str, str]:
    names = {key_of(name): code for code, name in _codes().items()}
    return names | {key_of(name): code for code, name in _own()}


def _own() -> list[tuple[str, str]]:
    rows = [line.split("\t") for line in own_lines("vaccine_names.tsv")]
    return [(code, name) for code, names in rows for name in names.split("|")]


@cache
def _index() -> NameIndex:
    """Names that cannot mean the disease."""
    return NameIndex(key_of(name) for _code, name in _own() if not name.startswith(DISEASE))

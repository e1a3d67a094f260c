"""Conditions: ICD-10-CM codes with titles, and the names that lead to them in English and Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from apps.terminology.data_files import own_lines, packed_lines
from apps.terminology.names import NameIndex, key_of

_CODE: Final = re.compile(r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?")
_SEVENTH: Final = {"A": "initial encounter", "D": "subsequent encounter", "S": "sequela"}

_EYES: Final = {"1": "right eye", "2": "left eye", "3": "both eyes", "9": "unspecified eye"}


@dataclass(frozen=True, slots=True)
class Code:
    """A code of the tabular list.

    Attributes:
        billable: whether it may stand alone; else it is a category, or needs a seventh character.
        sevenths: allowed seventh characters.
    """

    code: str
    billable: bool
    sevenths: str
    title: str


class Conditions:
    """Codes, and their names by look-up key."""

    def __init__(self) -> None:
        self.codes: dict[str, Code] = {}
        for line in packed_lines("conditions.tsv.gz"):
            code, billable, sevenths, title = line.split("\t")
            self.codes[code] = Code(code, billable == "1", sevenths, title)
        self.own: dict[str, tuple[str, ...]] = {}
        for file in ("condition_names_en.tsv", "condition_names_zh.tsv"):
            for line in own_lines(file):
                names, codes = line.split("\t")
                for name in names.split("|"):
                    self.own.setdefault(key_of(name), tuple(codes.split("|")))

    @cached_property
    def terms(self) -> dict[str, str]:
        """Codes, joined by ``|``, of the terms of the classification and the Disease Ontology, by look-up key."""
        rows = (line.split("\t") for line in packed_lines("condition_terms.tsv.gz"))
        return {key: codes for key, _stems, codes in rows}

    @cached_property
    def index(self) -> NameIndex:
        """Names for running text: short ones, of diseases and findings, not of causes and encounters."""
        terms = [key for key, codes in self.terms.items() if key.count(" ") < 6 and codes[0] not in "VWXYZ"]
        return NameIndex([*self.own, *terms])

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """Codes one level below a code."""
        found: dict[str, list[str]] = {}
        for code in self.codes:
            found.setdefault(self.parent(code), []).append(code)
        return found

    def parent(self, code: str) -> str:
        """The next wider code; empty for a category."""
        shorter = code[:-1].rstrip(".")
        while len(shorter) >= 3 and shorter not in self.codes:
            shorter = shorter[:-1].rstrip(".")
        return shorter if len(shorter) >= 3 else ""

    @cached_property
    def without_placeholders(self) -> dict[str, str]:
        """Codes by their characters without dot and placeholder X: ``T3601`` stands for ``T36.0X1``."""
        return {_bare(code): code for code in self.codes}

    def named(self, key: str) -> tuple[str, ...]:
        """Codes of an exact name, best first: MedPortal's own list overrules the other terms."""
        listed = tuple(self.terms[key].split("|")) if key in self.terms else ()
        own = self.own.get(key, ())
        return own + tuple(code for code in map(self.usual, listed) if code not in own)

    def usual(self, code: str) -> str:
        """The code to write for a category: its "unspecified" child, as coders choose it; with a seventh character."""
        row = self.codes.get(code)
        if row is None or row.billable:
            return code
        if row.sevenths:
            return with_seventh(code, row.sevenths)
        children = self.children.get(code, [])
        return self.usual(min(children, key=self._rank)) if children else code

    def _rank(self, code: str) -> tuple[int, str]:
        title = self.codes[code].title.casefold()
        endings = ("9", "0", "A", "1")
        order = endings.index(code[-1]) if code[-1] in endings else len(endings)
        plain = "unspecified" in title or "without complication" in title
        return (0 if plain and code[-1] == "9" else 1 if plain else 2 + order, code)


@cache
def conditions() -> Conditions:
    """Load the conditions once."""
    return Conditions()


def with_seventh(code: str, sevenths: str) -> str:
    """A code with its plainest seventh character (initial encounter, unspecified): ``T14.8`` becomes ``T14.8XXA``."""
    plainest = next((character for character in "A90" if character in sevenths), sevenths[0])
    return f"{code if '.' in code else f'{code}.':X<7}{plainest}"


def normal_code(text: str) -> str:
    """A code as the classification writes it: ``e119`` becomes ``E11.9``; empty if it has not the form of a code."""
    code = text.strip().upper()
    if not _CODE.fullmatch(code):
        return ""
    code = code.replace(".", "")
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 else code


def completed(code: str) -> list[str]:
    """The codes that one typed without its placeholder X or its seventh character stands for, widest first.

    ``S67.01A`` is ``S67.01XA``, ``T36.01`` is ``T36.0X1``; with the seventh character of a category, the codes below it
    follow that take the same one.
    """
    rows, bare = conditions().codes, _bare(code)
    base = conditions().without_placeholders.get(bare)
    if base:
        return [base]
    seventh = bare[-1]
    wider = conditions().without_placeholders.get(bare[:-1])
    if wider is None:
        return []
    below = [wider] if seventh.isdigit() else [known for known in rows if known.startswith(wider)]
    return [with_seventh(known, seventh) for known in below if seventh in rows[known].sevenths]


def _bare(code: str) -> str:
    """A code without dot and placeholders; X is also the letter of a chapter."""
    return code[:3] + code[3:].replace(".", "").replace("X", "")


def code_row(code: str) -> Code | None:
    """The row of an existing code; of the code without its seventh character if that is allowed there."""
    rows = conditions().codes
    if code in rows:
        return rows[code]
    base = code[:7].rstrip("X").rstrip(".")
    row = rows.get(base)
    if (
        len(code) == 8
        and row
        and code[7] in row.sevenths
        and code == f"{with_seventh(base, row.sevenths)[:7]}{code[7]}"
    ):
        return row
    return None


def title_of(code: str) -> str:
    """The title of a code; empty for one that does not exist."""
    row = code_row(code)
    if row is None or row.code == code:
        return row.title if row else ""
    return f"{row.title}, {_seventh(code)}"


def _seventh(code: str) -> str:
    """What the seventh character says; its meaning differs by chapter."""
    character = code[7]
    if code[0] == "E":
        return _EYES.get(character, f"7th character {character}")
    if code[0] == "O":
        return "fetus not specified" if character == "0" else f"fetus {character}"
    if code.startswith("M1A"):
        return "with tophus" if character == "1" else "without tophus"
    return _SEVENTH.get(character, f"7th character {character}")

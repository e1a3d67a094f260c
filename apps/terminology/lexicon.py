"""Lexicon for note extraction: problems, findings, medication, anatomy, with ICD-10-CM codes and finding labels."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "lexicon.tsv"
LOOSE = "~"


@dataclass(frozen=True)
class Concept:
    """A concept with its names.

    Attributes:
        kind: ``problem``, ``symptom``, ``drug`` or ``anatomy``.
        icd10: ICD-10-CM code, empty for drugs and anatomy.
        label: the equivalent finding label of radiograph models, or empty.
        title: in English and Chinese.
        terms: its names by language.
        loose: terms that suggest the concept although they denote a narrower, wider or different one
            ("emphysema" for chronic obstructive pulmonary disease); marked with LOOSE in the file.
    """

    code: str
    kind: str
    icd10: str
    label: str
    title: dict[str, str]
    terms: dict[str, tuple[str, ...]]
    loose: frozenset[str] = frozenset()

    def denoted_by(self, words: str) -> bool:
        """Return whether the words denote exactly this concept, so that its code may replace them."""
        folded = " ".join(words.split()).casefold()
        names = {*self.title.values(), *(term for terms in self.terms.values() for term in terms)}
        return folded not in self.loose and folded in {name.casefold() for name in names}


@cache
def concepts() -> dict[str, Concept]:
    """Load the concepts, by code."""
    with FILE.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {
        row["id"]: Concept(
            code=row["id"],
            kind=row["kind"],
            icd10=row["icd10"],
            label=row["label"],
            title={"en": row["en"], "zh-hans": row["zh"]},
            terms={"en": _terms(row["terms"]), "zh": _terms(row["zh_terms"])},
            loose=frozenset(
                term.removeprefix(LOOSE).casefold()
                for term in f"{row['terms']}|{row['zh_terms']}".split("|")
                if term.startswith(LOOSE)
            ),
        )
        for row in rows
    }


def _terms(cell: str) -> tuple[str, ...]:
    return tuple(term.removeprefix(LOOSE) for term in cell.split("|"))

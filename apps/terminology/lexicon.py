"""What is looked for in notes: problems, findings, medication, anatomy, with ICD-10-CM codes and our finding labels."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "lexicon.tsv"
LOOSE = "~"


@dataclass(frozen=True)
class Concept:
    """One thing with all its names.

    Attributes:
        kind: ``problem``, ``symptom``, ``drug`` or ``anatomy``.
        icd10: ICD-10-CM code, empty for drugs and anatomy.
        label: the finding label of film models that means the same, or empty.
        title: in English and Chinese.
        terms: its names by language.
        loose: those of its terms by which it is recognised although they denote something narrower, wider or else
            ("emphysema" for chronic obstructive pulmonary disease); marked by LOOSE in the file.
    """

    code: str
    kind: str
    icd10: str
    label: str
    title: dict[str, str]
    terms: dict[str, tuple[str, ...]]
    loose: frozenset[str] = frozenset()

    def denoted_by(self, words: str) -> bool:
        """Whether the words are a name of exactly this, so that its code may stand for them."""
        folded = " ".join(words.split()).casefold()
        names = {*self.title.values(), *(term for terms in self.terms.values() for term in terms)}
        return folded not in self.loose and folded in {name.casefold() for name in names}


@cache
def concepts() -> dict[str, Concept]:
    """By code."""
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


def _terms(written: str) -> tuple[str, ...]:
    return tuple(term.removeprefix(LOOSE) for term in written.split("|"))

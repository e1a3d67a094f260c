"""What is looked for in notes: problems, findings, medication, anatomy, with ICD-10-CM codes and our finding labels."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "lexicon.tsv"


@dataclass(frozen=True)
class Concept:
    """One thing with all its names.

    Attributes:
        kind: ``problem``, ``symptom``, ``drug`` or ``anatomy``.
        icd10: ICD-10-CM code, empty for drugs and anatomy.
        label: the finding label of film models that means the same, or empty.
        title: in English and Chinese.
        terms: its names by language.
    """

    code: str
    kind: str
    icd10: str
    label: str
    title: dict[str, str]
    terms: dict[str, tuple[str, ...]]


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
            terms={"en": tuple(row["terms"].split("|")), "zh": tuple(row["zh_terms"].split("|"))},
        )
        for row in rows
    }

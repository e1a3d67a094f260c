"""Drugs that pregnancy or poor kidneys forbid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from apps.terminology.allergens import Severity
from apps.terminology.data_files import own_lines
from apps.terminology.drug_classes import expanded

PREGNANCY: Final = "pregnancy"
KIDNEY: Final = "egfr<"


@dataclass(frozen=True, slots=True)
class Caution:
    """A reason against a drug.

    Attributes:
        below: eGFR in mL/min/1.73 m² under which it holds; 0 for pregnancy.
        note: by Django language code.
    """

    kind: Literal["pregnancy", "renal"]
    below: float
    drugs: frozenset[str]
    severity: Severity
    note: dict[str, str]
    source: str


def cautions_about(ingredients: Iterable[str], *, pregnant: bool, egfr: float | None) -> list[Caution]:
    """The cautions that hold for any of the ingredients; none for what is not known about the patient."""
    names = set(ingredients)
    return [row for row in _cautions() if names & row.drugs and _holds(row, pregnant, egfr)]


def _holds(row: Caution, pregnant: bool, egfr: float | None) -> bool:
    return pregnant if row.kind == PREGNANCY else egfr is not None and egfr < row.below


@cache
def _cautions() -> tuple[Caution, ...]:
    rows = []
    for line in own_lines("cautions.tsv"):
        state, drugs, severity, english, chinese, source = line.split("\t")
        note = {"en": english, "zh-hans": chinese}
        kind: Literal["pregnancy", "renal"] = "pregnancy" if state == PREGNANCY else "renal"
        below = float(state.removeprefix(KIDNEY)) if kind == "renal" else 0.0
        rows.append(Caution(kind, below, expanded(drugs), severity, note, source))  # type: ignore[arg-type]
    return tuple(rows)

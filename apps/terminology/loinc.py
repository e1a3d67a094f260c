"""What can be measured: LOINC codes, UCUM units, reference ranges of adults and the limits of what is possible."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "loinc.tsv"
GROUPS = ("vitals", "blood", "chemistry", "gas", "habits")


@dataclass(frozen=True)
class Measure:
    """One kind of value.

    Attributes:
        code: LOINC, or one of ours where LOINC has none that is a number.
        unit: UCUM, in which it is stored.
        low, high: reference range of adults, None where there is none.
        least, most: what is outside is a slip of the pen.
        g_per_mol: molar mass, where amounts and masses are both in use.
    """

    code: str
    group: str
    title: dict[str, str]
    unit: str
    low: float | None
    high: float | None
    least: float
    most: float
    g_per_mol: float | None

    def flag(self, value: float) -> str:
        """``low`` or ``high`` outside the reference range, else empty (HL7 v3 ObservationInterpretation L and H)."""
        if self.low is not None and value < self.low:
            return "low"
        return "high" if self.high is not None and value > self.high else ""

    @property
    def is_loinc(self) -> bool:
        """Whether the code is LOINC's."""
        return self.code[0].isdigit()


@cache
def catalogue() -> dict[str, Measure]:
    """By code."""

    def number(text: str) -> float | None:
        return float(text) if text else None

    with FILE.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {
        row["code"]: Measure(
            code=row["code"],
            group=row["group"],
            title={"en": row["en"], "zh-hans": row["zh"]},
            unit=row["unit"],
            low=number(row["low"]),
            high=number(row["high"]),
            least=float(row["least"]),
            most=float(row["most"]),
            g_per_mol=number(row["g_per_mol"]),
        )
        for row in rows
    }


def by_name(text: str) -> Measure | None:
    """The measure of this code, or of this English or Chinese name."""
    wanted = text.strip().casefold()
    for measure in catalogue().values():
        if wanted in (measure.code.casefold(), *(title.casefold() for title in measure.title.values())):
            return measure
    return None

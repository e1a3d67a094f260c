"""Catalogue of measurements: LOINC codes, UCUM units, adult reference ranges and plausibility limits."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "loinc.tsv"
GROUPS = ("vitals", "blood", "chemistry", "gas", "habits")


@dataclass(frozen=True)
class Measure:
    """One kind of measurement.

    Attributes:
        code: LOINC, or a local code where LOINC has no numeric one.
        unit: UCUM unit in which values are stored.
        low, high: adult reference range; None if there is none.
        minimum, maximum: plausibility limits; values outside are data entry errors.
        g_per_mol: molar mass, for measurements reported both as amount and as mass.
    """

    code: str
    group: str
    title: dict[str, str]
    unit: str
    low: float | None
    high: float | None
    minimum: float
    maximum: float
    g_per_mol: float | None

    def flag(self, value: float) -> str:
        """Return ``low`` or ``high`` outside the reference range, else empty (HL7 v3 ObservationInterpretation)."""
        if self.low is not None and value < self.low:
            return "low"
        return "high" if self.high is not None and value > self.high else ""

    @property
    def is_loinc(self) -> bool:
        """Whether the code is a LOINC code."""
        return self.code[0].isdigit()


@cache
def catalogue() -> dict[str, Measure]:
    """Load the measurements, by code."""

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
            minimum=float(row["least"]),
            maximum=float(row["most"]),
            g_per_mol=number(row["g_per_mol"]),
        )
        for row in rows
    }


def by_name(text: str) -> Measure | None:
    """Find a measurement by its code, or by its English or Chinese name."""
    name = text.strip().casefold()
    for measure in catalogue().values():
        if name in (measure.code.casefold(), *(title.casefold() for title in measure.title.values())):
            return measure
    return None

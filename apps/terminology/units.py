"""Unit conversion: UCUM (ucumvert on pint), and between amount and mass if the molar mass is known."""

from __future__ import annotations

from functools import cache
from typing import Any

from apps.terminology.loinc import Measure

ALIASES = {
    "": "", "1": "1", "/min": "/min", "bpm": "/min", "beats/min": "/min", "breaths/min": "/min", "mmhg": "mm[Hg]",
    "c": "Cel", "°c": "Cel", "℃": "Cel", "f": "[degF]", "°f": "[degF]", "ph": "[pH]", "10^3/ul": "10*3/uL",
    "10^9/l": "10*9/L", "x10^9/l": "10*9/L", "k/ul": "10*3/uL", "lb": "[lb_av]", "lbs": "[lb_av]", "in": "[in_i]",
    "iu/l": "U/L", "meq/l": "mmol/L", "µmol/l": "umol/L", "μmol/l": "umol/L", "fraction": "1",
}  # fmt: skip
"""Common spellings, in lowercase, to UCUM."""


SHOWN = {
    "Cel": "°C",
    "mm[Hg]": "mmHg",
    "10*3/uL": "10³/µL",
    "[pH]": "",
    "{score}": "",
    "{yes}": "",
    "{pack-years}": "",
    "1": "",
    "[lb_av]": "lb",
}
"""UCUM units as displayed."""


class UnknownUnit(ValueError):
    """A unit that is not UCUM, or cannot be converted to the measurement's unit."""


def convert(value: float, unit: str, measure: Measure) -> float:
    """Convert a value to the measurement's unit; an empty unit means that unit.

    Raises:
        UnknownUnit: if it cannot be converted.
    """
    source_unit = unit.strip()
    source_unit = ALIASES.get(source_unit.lower(), source_unit)
    if source_unit in ("", measure.unit):
        return value
    if measure.unit.startswith("{"):
        raise UnknownUnit(unit)
    if "Cel" in (measure.unit, source_unit) or "[degF]" in (measure.unit, source_unit):
        return _temperature(value, source_unit, measure.unit)
    registry = _registry()
    try:
        source, target = registry.from_ucum(source_unit), registry.from_ucum(measure.unit)
        quantity = value * source
        if quantity.check("[substance]/[volume]") and target.check("[mass]/[volume]") and measure.g_per_mol:
            quantity = quantity * measure.g_per_mol * registry.from_ucum("g/mol")
        if quantity.check("[mass]/[volume]") and target.check("[substance]/[volume]") and measure.g_per_mol:
            quantity = quantity / (measure.g_per_mol * registry.from_ucum("g/mol"))
        return float(quantity.to(target.units).magnitude) / float(target.magnitude)
    except Exception as error:  # ucumvert's parser and pint have no common base exception
        raise UnknownUnit(unit) from error


def _temperature(value: float, source: str, target: str) -> float:
    """Convert temperatures, whose scales differ by an offset and not only by a factor."""
    if (source, target) == ("[degF]", "Cel"):
        return (value - 32) / 1.8
    if (source, target) == ("K", "Cel"):
        return value - 273.15
    raise UnknownUnit(source)


@cache
def _registry() -> Any:
    from ucumvert import PintUcumRegistry  # imported here: takes a second, and is rarely needed

    return PintUcumRegistry()

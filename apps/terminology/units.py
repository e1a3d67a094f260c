"""Units: UCUM (ucumvert over pint), and amount against mass where the molar mass is known."""

from __future__ import annotations

from functools import cache
from typing import Any

from apps.terminology.loinc import Measure

SAME = {
    "": "", "1": "1", "/min": "/min", "bpm": "/min", "beats/min": "/min", "breaths/min": "/min", "mmhg": "mm[Hg]",
    "c": "Cel", "°c": "Cel", "℃": "Cel", "f": "[degF]", "°f": "[degF]", "ph": "[pH]", "10^3/ul": "10*3/uL",
    "10^9/l": "10*9/L", "x10^9/l": "10*9/L", "k/ul": "10*3/uL", "lb": "[lb_av]", "lbs": "[lb_av]", "in": "[in_i]",
    "iu/l": "U/L", "meq/l": "mmol/L", "µmol/l": "umol/L", "μmol/l": "umol/L", "fraction": "1",
}  # fmt: skip
"""As people write to UCUM, in small letters."""


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
"""UCUM as people read it."""


class UnknownUnit(ValueError):
    """A unit that is not UCUM, or cannot be turned into the measure's."""


def convert(value: float, unit: str, measure: Measure) -> float:
    """A value in the measure's own unit; without a unit it is in that already.

    Raises:
        UnknownUnit: if it cannot be converted.
    """
    written = unit.strip()
    written = SAME.get(written.lower(), written)
    if written in ("", measure.unit):
        return value
    if measure.unit.startswith("{"):
        raise UnknownUnit(unit)
    if "Cel" in (measure.unit, written) or "[degF]" in (measure.unit, written):
        return _temperature(value, written, measure.unit)
    registry = _registry()
    try:
        source, target = registry.from_ucum(written), registry.from_ucum(measure.unit)
        quantity = value * source
        if quantity.check("[substance]/[volume]") and target.check("[mass]/[volume]") and measure.g_per_mol:
            quantity = quantity * measure.g_per_mol * registry.from_ucum("g/mol")
        if quantity.check("[mass]/[volume]") and target.check("[substance]/[volume]") and measure.g_per_mol:
            quantity = quantity / (measure.g_per_mol * registry.from_ucum("g/mol"))
        return float(quantity.to(target.units).magnitude) / float(target.magnitude)
    except Exception as error:  # ucumvert's parser and pint have no common base of errors
        raise UnknownUnit(unit) from error


def _temperature(value: float, source: str, target: str) -> float:
    """Pint multiplies, and a temperature's zero is not nothing."""
    if (source, target) == ("[degF]", "Cel"):
        return (value - 32) / 1.8
    if (source, target) == ("K", "Cel"):
        return value - 273.15
    raise UnknownUnit(source)


@cache
def _registry() -> Any:
    from ucumvert import PintUcumRegistry  # a second to load, and few values come in foreign units

    return PintUcumRegistry()

"""Conversion of units by analyte: mass and amount by its molar mass, amount and charge by its valence."""

from __future__ import annotations

from apps.terminology.loinc import Measure
from apps.terminology.ucum import EQ, MOL, TEMPERATURE, G, NotUcum, Unit, parse
from apps.terminology.unit_spellings import to_ucum

SHOWN = {
    "Cel": "°C",
    "mm[Hg]": "mmHg",
    "10*3/uL": "10³/µL",
    "10*6/uL": "10⁶/µL",
    "umol/L": "µmol/L",
    "ug/dL": "µg/dL",
    "ug/mL": "µg/mL",
    "[pH]": "",
    "{score}": "",
    "{yes}": "",
    "{pack-years}": "",
    "1": "",
    "[lb_av]": "lb",
    "[degF]": "°F",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
    "ng/mL{FEU}": "ng/mL FEU",
    "ng/mL{DDU}": "ng/mL DDU",
    "m[IU]/L": "mIU/L",
    "u[IU]/mL": "µIU/mL",
    "[IU]/L": "IU/L",
    "[arb'U]/mL": "U/mL",
    "mg/(24.h)": "mg/24 h",
    "mosm/kg": "mOsm/kg",
    "kg/m2": "kg/m²",
}
"""UCUM units as displayed."""
QUALIFIERS = ("{FEU}", "{DDU}")
"""Annotations that name another quantity: 1 ng D-dimer units is about 2 ng fibrinogen-equivalent units."""
HBA1C = "4548-4"


class UnknownUnit(ValueError):
    """A unit that cannot be converted to the measurement's unit.

    Attributes:
        reason: ``unit_unknown`` for a spelling that is not known, ``unit_dimension`` for another kind of quantity,
            ``unit_analyte`` if the analyte's molar mass or valence would be needed and is not known or not constant.
    """

    def __init__(self, unit: str, reason: str) -> None:
        super().__init__(unit)
        self.reason = reason


def is_count(measure: Measure) -> bool:
    """Return whether the measurement counts particles per volume."""
    return measure.unit.startswith(("10*", "/uL"))


def canonical(unit: str, measure: Measure) -> str:
    """Return the UCUM spelling of a unit written for this measurement; empty for none.

    Raises:
        UnknownUnit: if the spelling is not known.
    """
    try:
        return to_ucum(unit.strip(), counts=is_count(measure))
    except NotUcum:
        raise UnknownUnit(unit, "unit_unknown") from None


def convert(value: float, unit: str, measure: Measure) -> float:
    """Convert a value to the measurement's unit; an empty unit means that unit.

    Raises:
        UnknownUnit: if it cannot be converted.
    """
    source = canonical(unit, measure)
    if source in ("", measure.unit):
        return value
    if measure.unit.startswith("{"):
        if source == "1" or source.startswith("{"):
            return value
        raise UnknownUnit(unit, "unit_dimension")
    if any(name in source and name not in measure.unit for name in QUALIFIERS):
        raise UnknownUnit(unit, "unit_analyte")
    if measure.unit == "[pH]" and source == "1":
        return value
    if measure.code == HBA1C and source.startswith("mmol/mol"):
        return 0.0915 * value + 2.15  # IFCC to NGSP: Hoelzel et al., Clin Chem 2004;50:166-174
    return _converted(value, parse(source), source, measure)


def _converted(value: float, source: Unit, written: str, measure: Measure) -> float:
    target = parse(measure.unit)
    if source.exponent(TEMPERATURE) == 1 == len(source.dimensions):
        return _temperature(value, written, measure.unit)
    factor = source.factor / target.factor * _bridge(source, target, measure)
    return value * factor


def _bridge(source: Unit, target: Unit, measure: Measure) -> float:
    """Return the factor between the base dimensions of two units for this analyte.

    Charge becomes amount through the valence, then amount becomes mass through the molar mass.

    Raises:
        UnknownUnit: if a dimension is left, or the valence or the molar mass is not known.
    """
    difference = source.times(target, -1)
    charge, amount, mass = (difference.exponent(name) for name in (EQ, MOL, G))
    others = [name for name, _exponent in difference.dimensions if name not in (EQ, MOL, G)]
    if others:
        raise UnknownUnit(measure.unit, "unit_dimension")
    factor = 1.0
    if charge:
        if not measure.valence:
            raise UnknownUnit(measure.unit, "unit_analyte")
        factor, amount = measure.valence ** float(-charge), amount + charge
    if amount or mass:
        if amount + mass:
            raise UnknownUnit(measure.unit, "unit_dimension")
        if not measure.g_per_mol:
            raise UnknownUnit(measure.unit, "unit_analyte")
        factor *= measure.g_per_mol ** float(amount)
    return factor


def _temperature(value: float, source: str, target: str) -> float:
    """Convert temperatures, whose scales differ by an offset and not only by a factor."""
    if (source, target) == ("[degF]", "Cel"):
        return (value - 32) / 1.8
    if (source, target) == ("K", "Cel"):
        return value - 273.15
    if (source, target) == ("Cel", "[degF]"):
        return value * 1.8 + 32
    if source == target:
        return value
    raise UnknownUnit(source, "unit_dimension")

"""Units: spellings, dimensions, and conversions against published factors."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from apps.terminology.loinc import by_code, catalogue, further_codes
from apps.terminology.ucum import NotUcum, parse
from apps.terminology.unit_spellings import to_ucum
from apps.terminology.units import UnknownUnit, convert

FACTORS = Path(__file__).parent / "published_factors.tsv"
"""Traditional unit times factor is SI unit: labunits 0.2.1 (MIT) and textbook values, three digits at least."""


def factors() -> list[dict[str, str]]:
    with FACTORS.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize("row", factors(), ids=lambda row: f"{row['name']} {row['si']}")
def test_conversions_agree_with_published_factors(row: dict[str, str]) -> None:
    measure = by_code(row["loinc"])
    assert measure is not None
    traditional = convert(1.0, row["traditional"], measure)
    assert traditional == pytest.approx(convert(float(row["factor"]), row["si"], measure), rel=0.01)


def test_every_unit_of_the_catalogue_is_ucum_and_agrees_with_pint() -> None:
    from ucumvert import PintUcumRegistry

    registry: Any = PintUcumRegistry()
    units = {unit for measure in catalogue().values() for unit in (measure.unit, *measure.units)}
    compared = 0
    for unit in units - {"[degF]", "Cel"}:
        ours = parse(unit)
        if any(name in unit for name in ("{", "[IU]", "[arb'U]", "[pH]", "U/", "m[Hg]", "osm", "[lb_av]")):
            continue  # not UCUM's own atoms in pint, or defined otherwise
        theirs = registry.from_ucum(unit).to_base_units()
        grams = 1000.0 ** dict(ours.dimensions).get("g", 0)  # pint's base is the kilogram
        assert ours.factor / grams == pytest.approx(float(theirs.magnitude), rel=1e-9), unit
        compared += 1
    assert compared > 30


@pytest.mark.parametrize(
    ("written", "ucum"),
    [
        ("MG/DL", "mg/dL"), ("µmol/l", "umol/l"), ("μmol/L", "umol/L"), ("mcmol/L", "umol/L"), ("mcg/dL", "ug/dL"),
        ("x10^9/L", "10*9/L"), ("×10⁹/L", "10*9/L"), ("10³/µL", "10*3/uL"), ("10E3/uL", "10*3/uL"),
        ("K/uL", "10*3/uL"), ("thou/mm3", "10*3/uL"), ("M/uL", "10*6/uL"), ("lakh/cumm", "10*5/uL"),
        ("万/µL", "10*4/uL"), ("cells/mm³", "/uL"), ("/cumm", "/uL"), ("MEQ/L", "meq/L"), ("uIU/mL", "u[IU]/mL"),
        ("g/24 hr", "g/(24.h)"), ("mL/min/1.73 m²", "mL/min/{1.73_m2}"), ("℃", "Cel"), ("deg F", "[degF]"),
        ("lbs", "[lb_av]"), ("mm Hg", "mm[Hg]"), ("次/分", "/min"), ("毫摩尔/升", "mmol/L"), ("微摩尔/升", "umol/L"),
        ("ug/mL FEU", "ug/mL{FEU}"), ("ug/mL (FEU)", "ug/mL{FEU}"), ("micromol/L", "umol/L"), ("IE/ml", "[IU]/mL"),
        ("mL/min/1.73m*2", "mL/min/{1.73_m2}"), ("mmHg.", "mm[Hg]"), ("Thou/uL", "10*3/uL"),
        ("gm%", "g/dL"), ("mOsm/kg H2O", "mosm/kg"), ("％", "%"), ("", ""),
    ],
)  # fmt: skip
def test_spellings_of_units(written: str, ucum: str) -> None:
    assert to_ucum(written) == ucum


def test_giga_per_litre_is_a_count_only_for_counts() -> None:
    assert to_ucum("G/L", counts=True) == "10*9/L" and to_ucum("G/L") == "g/L"
    assert convert(7.2, "G/L", catalogue()["6690-2"]) == pytest.approx(7.2)
    assert convert(72, "G/L", catalogue()["718-7"]) == pytest.approx(7.2)


@pytest.mark.parametrize("unit", ["parsec", "furlong", "%%", "mmol//L", "mg/", "10*/L", "x" * 100, "mg/dL)"])
def test_what_is_no_unit_is_refused(unit: str) -> None:
    with pytest.raises(NotUcum):
        to_ucum(unit)


@pytest.mark.parametrize(
    ("code", "unit", "reason"),
    [
        ("2345-7", "parsec", "unit_unknown"),
        ("2345-7", "kg", "unit_dimension"),
        ("2345-7", "mmol/L/L/L", "unit_dimension"),
        ("2823-3", "mmol", "unit_dimension"),
        ("2777-1", "meq/L", "unit_analyte"),  # phosphate's charge depends on pH
        ("1988-5", "nmol/L", "unit_analyte"),
        ("48065-7", "ng/mL DDU", "unit_analyte"),
        ("8310-5", "%", "unit_dimension"),
        ("9269-2", "mg/dL", "unit_dimension"),
    ],
)
def test_units_that_do_not_fit_say_why(code: str, unit: str, reason: str) -> None:
    with pytest.raises(UnknownUnit) as problem:
        convert(1.0, unit, catalogue()[code])
    assert problem.value.reason == reason


def test_scales_with_an_offset() -> None:
    temperature, a1c = catalogue()["8310-5"], catalogue()["4548-4"]
    assert convert(101, "°F", temperature) == pytest.approx(38.333, abs=1e-3)
    assert convert(310.15, "K", temperature) == pytest.approx(37)
    assert convert(53, "mmol/mol", a1c) == pytest.approx(7.0, abs=0.01)


def test_charge_is_not_amount() -> None:
    assert convert(1.7, "mEq/L", catalogue()["19123-9"]) == pytest.approx(2.066, abs=1e-3)
    assert convert(2.4, "mEq/L", catalogue()["17861-6"]) == pytest.approx(4.809, abs=1e-3)
    assert convert(140, "mEq/L", catalogue()["2951-2"]) == pytest.approx(140)


def test_the_tables_are_sound() -> None:
    for measure in catalogue().values():
        assert measure.minimum < measure.maximum, measure.code
        low = measure.low or None  # "0 to 5": up to 5
        limits = (measure.minimum, measure.ask_below, low, measure.high, measure.ask_above, measure.maximum)
        known = [limit for limit in limits if limit is not None]
        assert known == sorted(known), measure.code
        for unit in measure.units:
            convert(1.0, unit, measure)
    codes = [code for measure in catalogue().values() for code in (measure.code, *measure.same)]
    assert len(codes) == len(set(codes)) and not set(codes) & set(further_codes())
    assert len(further_codes()) > 1000
    for measure in further_codes().values():
        parse(measure.unit)

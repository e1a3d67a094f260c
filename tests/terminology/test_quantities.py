"""The reader of values: numbers, comparators, units, names, specimens, plausibility."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.jobs.errors import message
from apps.terminology.loinc import by_name, catalogue, find_measures
from apps.terminology.numbers import NotANumber, read_number
from apps.terminology.quantities import State, read_quantity


@pytest.mark.parametrize(
    ("written", "readings", "comparator", "unit"),
    [
        ("38,5", [38.5], "", ""), ("1,500", [1500, 1.5], "", ""), ("1.500", [1.5, 1500], "", ""),
        ("0,500", [0.5], "", ""), ("12,345,678", [12345678], "", ""), ("1,50,000", [150000], "", ""),
        ("1.234,5", [1234.5], "", ""), ("1,234.5", [1234.5], "", ""), ("1 500", [1500], "", ""),
        ("1\u202f500", [1500], "", ""), ("1'500", [1500], "", ""), ("1.5e3", [1500], "", ""),
        ("1.5 × 10³", [1500], "", ""), ("10^5", [100000], "", ""), ("３８．５", [38.5], "", ""), (".5", [0.5], "", ""),
        ("<0.5", [0.5], "<", ""), ("＜ 0.5", [0.5], "<", ""), ("≤5", [5], "<=", ""), (">= 10", [10], ">=", ""),
        ("less than 5", [5], "<", ""), ("小于0.5", [0.5], "<", ""), ("> 1,000", [1000, 1], ">", ""),
        ("5.9 (H)", [5.9], "", ""), ("5.9*", [5.9], "", ""), ("H 5.9", [5.9], "", ""), ("5.9↑", [5.9], "", ""),
        ("−5", [-5], "", ""), ("165 lbs", [165], "", "lbs"), ("38.5 C", [38.5], "", "C"),
        ("4.5 10^9/L", [4.5], "", "10^9/L"), ("1.5 L", [1.5], "", "L"),
    ],
)  # fmt: skip
def test_numbers(written: str, readings: list[float], comparator: str, unit: str) -> None:
    number = read_number(written)
    assert (list(number.readings), number.comparator, number.unit) == (readings, comparator, unit)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "value_number"), ("abc", "value_number"), ("nan", "value_number"), ("inf", "value_number"),
        ("1..5", "value_number"), ("1,5,0", "value_number"), ("negative", "value_number"), ("阴性", "value_number"),
        ("l2", "value_number"), ("10-20", "value_range"), ("3.5–5.1", "value_range"), ("5 to 10", "value_range"),
        ("120/80", "value_ratio"), ("1:80", "value_ratio"),
    ],
)  # fmt: skip
def test_what_is_not_one_number(written: str, code: str) -> None:
    with pytest.raises(NotANumber) as problem:
        read_number(written)
    assert problem.value.code == code


TAKEN: list[tuple[str, Any, str, float, str]] = [
    ("Platelets", "150,000", "/uL", 150, "10*3/uL"),
    ("血小板", "150000", "", 150, "10*3/uL"),
    ("Plt", "1.5", "lakh/cumm", 150, "10*3/uL"),
    ("WBC", "18,400", "", 18.4, "10*3/uL"),
    ("Temperature", "38,5", "Cel", 38.5, "Cel"),
    ("Temp", "101.2 F", "", 38.44, "Cel"),
    ("Magnesium", "1.7", "mEq/L", 2.066, "mg/dL"),
    ("Calcium", "2.4", "mEq/L", 4.809, "mg/dL"),
    ("Ca", "2.4", "mmol/L", 9.619, "mg/dL"),
    ("肌酐", "180", "umol/L", 2.036, "mg/dL"),
    ("Cr", "180μmol/L", "", 2.036, "mg/dL"),
    ("Hgb", "72", "G/L", 7.2, "g/dL"),
    ("Hb", "135", "", 13.5, "g/dL"),
    ("Hct", "0.42", "", 42, "%"),
    ("尿素氮", "5.2", "mmol/L", 14.57, "mg/dL"),
    ("Weight", "165", "lbs", 74.84, "kg"),
    ("Height", "5'10\"", "", 177.8, "cm"),
    ("Height", "1m75", "", 175, "cm"),
    ("K+", "5.9 H", "mmol/L", 5.9, "mmol/L"),
    ("Na", 140, "mEq/L", 140, "mmol/L"),
    ("urine sodium", "40", "mmol/L", 40, "mmol/L"),
    ("D-dimer", "0.5", "ug/mL FEU", 500, "ng/mL{FEU}"),
    ("pH", "7,35", "", 7.35, "[pH]"),
    ("PaCO2", "5.3", "kPa", 39.75, "mm[Hg]"),
    ("ALT", "0.7", "µkat/L", 42, "U/L"),
    ("D-dimer FEU", "500", "ng/mL", 500, "ng/mL{FEU}"),
    ("血小板", "15万", "/μL", 150, "10*3/uL"),
    ("GCS", "14/15", "", 14, "{score}"),
    ("Plt", "150K", "", 150, "10*3/uL"),
    ("白细胞", "18.4×10^9/L", "", 18.4, "10*3/uL"),
    ("Hb", "8.7", "mmol/L", 14.02, "g/dL"),
    ("Sodium (urine)", "40", "mmol/L", 40, "mmol/L"),
    ("T", "101.3", "", 38.5, "Cel"),
    ("6206-7", 3.1, "kU/L", 3.1, "kU/L"),
]


@pytest.mark.parametrize(("code", "written", "unit", "value", "ucum"), TAKEN)
def test_values_that_are_taken(code: str, written: Any, unit: str, value: float, ucum: str) -> None:
    reading = read_quantity(code, written, unit)
    assert (reading.state, reading.unit, reading.comparator) == (State.TAKEN, ucum, "")
    assert reading.value == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize(
    ("code", "written", "unit", "reason", "choices"),
    [
        ("Urine output", "1,500", "mL", "value_ambiguous", [1500, 1.5]),
        ("Weight", "165", "", "value_ambiguous", [165, 74.84]),
        ("Glucose", "5.5", "", "value_ambiguous", [99.09, 5.5]),
        ("Potassium", "12", "mmol/L", "value_rare", [12]),
        ("Temperature", "about 38.5", "C", "value_approximate", [38.5]),
        ("Potassium", "4.2 (hemolyzed)", "mmol/L", "value_remark", [4.2]),
        ("Potassium", "6.9 溶血", "mmol/L", "value_remark", [6.9]),
        ("Troponin", "0.05", "ng/mL", "value_which", []),
        ("D-dimer", "500", "ng/mL", "value_which", []),
        ("Sodium", "140 mmol/L", "mg/dL", "value_two_units", []),
    ],
)
def test_values_that_are_asked_about(code: str, written: str, unit: str, reason: str, choices: list[float]) -> None:
    reading = read_quantity(code, written, unit)
    assert (reading.state, reading.reason, reading.value) == (State.ASK, reason, None)
    assert [choice.value for choice in reading.choices] == pytest.approx(choices, rel=1e-3)
    assert message(reading.reason, reading.parameters)


@pytest.mark.parametrize(
    ("code", "written", "unit", "reason"),
    [
        ("Sodium", "1400", "mmol/L", "value_impossible"),
        ("Sodium", "1,400", "mmol/L", "value_impossible"),
        ("Temperature", "98.6", "Cel", "value_impossible"),
        ("Creatinine", "-1", "mg/dL", "value_impossible"),
        ("Sodium", "140", "kg", "unit_dimension"),
        ("Sodium", "140", "furlong", "unit_unknown"),
        ("Phosphate", "1.2", "mEq/L", "unit_analyte"),
        ("banana", "1", "", "value_code"),
        ("", "1", "", "value_code"),
        ("Sodium", "pending", "", "value_number"),
        ("Sodium", None, "", "value_number"),
        ("Sodium", True, "", "value_number"),
        ("Sodium", float("nan"), "mmol/L", "value_impossible"),
        ("Systolic pressure", "120/80", "mmHg", "value_ratio"),
    ],
)
def test_values_that_are_refused(code: str, written: Any, unit: str, reason: str) -> None:
    reading = read_quantity(code, written, unit)
    assert (reading.state, reading.reason, reading.value) == (State.REFUSED, reason, None)
    assert message(reading.reason, reading.parameters)


def test_a_limit_of_detection_stays_one() -> None:
    for code, written, unit, value, comparator in (
        ("CRP", "<0.5", "mg/L", 0.5, "<"),
        ("eGFR", ">60", "mL/min/1.73m2", 60, ">"),
        ("Glucose", "<20", "mg/dL", 20, "<"),
        ("Troponin T", "≤ 14", "ng/L", 0.014, "<="),
    ):
        reading = read_quantity(code, written, unit)
        assert (reading.state, reading.value, reading.comparator) == (State.TAKEN, pytest.approx(value), comparator)


def test_a_limit_is_flagged_only_if_all_it_may_mean_is_abnormal() -> None:
    glucose, gfr = catalogue()["2345-7"], catalogue()["33914-3"]
    assert glucose.flag(20, "<") == "low" and glucose.flag(200, "<") == "" and glucose.flag(600, ">") == "high"
    assert gfr.flag(60, ">") == "" and gfr.flag(15, "<") == "low" and gfr.flag(59) == "low"


def test_ranges_of_adults_are_not_shown_for_children() -> None:
    haemoglobin = catalogue()["718-7"]
    assert haemoglobin.for_age(4).low is None and haemoglobin.for_age(4).flag(10) == ""
    assert haemoglobin.for_age(40).flag(10) == "low" and haemoglobin.for_age(None) is haemoglobin


def test_a_specimen_is_another_measurement() -> None:
    assert read_quantity("Sodium", "40", "mmol/L", specimen="Urine").measure is catalogue()["2955-3"]
    assert read_quantity("血钠", "140", "mmol/L", specimen="血清").value == 140
    for code, specimen in (("2951-2", "Urine"), ("Potassium", "Pleural fluid"), ("Albumin", "Ascitic fluid")):
        reading = read_quantity(code, "40", "", specimen=specimen)
        assert (reading.state, reading.reason) == (State.REFUSED, "value_specimen"), code
    assert [measure.code for measure in find_measures("CSF glucose")] == ["2342-4"]
    assert find_measures("sweat chloride") == [] and find_measures("pleural fluid protein") == []


def test_names_are_found_in_both_languages() -> None:
    for name, code in (
        ("心率", "8867-4"), ("血清肌酐", "2160-0"), ("Serum Potassium", "2823-3"), ("potassium, serum", "2823-3"),
        ("HbA1c", "4548-4"), ("SpO2", "59408-5"), ("血钾", "2823-3"), ("14682-9", "2160-0"), ("NT-proBNP", "33762-6"),
        ("高敏肌钙蛋白T", "67151-1"), ("Albumin level", "1751-7"), ("venous pH", "2746-6"),
    ):  # fmt: skip
        measure = by_name(name)
        assert measure is not None and measure.code == code, name
    assert by_name("nothing") is None and by_name("troponin") is None


@given(st.text(max_size=30), st.text(max_size=12))
@settings(max_examples=300, deadline=None)
def test_any_text_is_taken_asked_or_refused(written: str, unit: str) -> None:
    reading = read_quantity("Potassium", written, unit)
    assert (reading.value is not None) == (reading.state == State.TAKEN)
    if reading.state == State.TAKEN:
        assert reading.value is not None and 0.8 <= reading.value <= 15
    else:
        assert reading.reason

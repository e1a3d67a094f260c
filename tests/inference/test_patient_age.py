"""A package answers only for patients of the ages on its card."""

from __future__ import annotations

import copy
import csv
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.models import CareTeam, User
from apps.cases import services
from apps.imaging.dicom.attributes import age_at, age_in_years
from apps.inference import installed_packages, jobs
from apps.inference.engines.input_checks import InputRejected, check_age
from apps.inference.models import PackageVersion
from apps.inference.package_reader import validate_card
from apps.inference.packages.card import PackageRefused
from apps.jobs.errors import Refusal, message
from apps.jobs.models import State
from apps.patients.models import Patient
from apps.predictions import prediction_jobs
from apps.predictions.models import Prediction, PredictionKind
from tests.factories import arrive, film_file, take_in
from tests.inference.test_batch_predict import picture

CHILDREN = {"minimum": 1, "maximum": 5, "unknown": "refuse"}
ADULTS = {"minimum": 16, "unknown": "accept"}
STUDY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("text", "years"),
    [("004Y", 4), ("018M", 1.5), ("012W", 0.23), ("365D", 1), (" 004y", 4), ("4Y", None), ("", None), ("abcd", None)],
)
def test_age_strings_are_read(text: str, years: float | None) -> None:
    assert age_in_years(text) == (years if years is None else pytest.approx(years, abs=0.01))


@given(st.dates(date(1900, 1, 1), date(2030, 1, 1)), st.integers(0, 40_000))
def test_whole_years_change_on_the_birthday(born: date, days: int) -> None:
    day = min(born + timedelta(days=days), date(2120, 1, 1))
    age = age_at(born, day)
    assert age is not None
    assert int(age) == day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    assert age_at(day + timedelta(days=1), day) is age_at(None, day) is age_at(born, None) is None


@pytest.mark.parametrize(
    ("declared", "ages", "code"),
    [
        (CHILDREN, [4.0], ""), (CHILDREN, [1.0], ""), (CHILDREN, [5.99], ""), (CHILDREN, [None, 3.0], ""),
        (CHILDREN, [6.0], "too_old"), (CHILDREN, [0.99], "too_young"), (CHILDREN, [None, None], "age_unknown"),
        (CHILDREN, [], "age_unknown"), (CHILDREN, [4.0, 60.0], "too_old"), (CHILDREN, [0.0], "too_young"),
        (ADULTS, [None], ""), (ADULTS, [16.0], ""), (ADULTS, [15.9], "too_young"), (ADULTS, [99.0], ""), (None, [], ""),
    ],
)  # fmt: skip
def test_every_age_that_is_known_must_fit(declared: dict[str, Any] | None, ages: list[float | None], code: str) -> None:
    try:
        check_age(declared, ages)
    except InputRejected as problem:
        assert problem.code == code
        assert message(problem.code, problem.parameters)
    else:
        assert not code


@pytest.mark.parametrize(
    ("description", "code"),
    [
        ({}, ""),
        ({"birth_date": None, "age": "004Y"}, ""),
        ({"birth_date": date(1960, 5, 4)}, "too_old"),
        ({"birth_date": None, "age": "045Y"}, "too_old"),
        ({"birth_date": None, "age": "006M"}, "too_young"),
        ({"birth_date": date(2026, 1, 1)}, "too_young"),
        ({"birth_date": None}, "age_unknown"),
        ({"birth_date": date(1960, 5, 4), "age": "004Y"}, "too_old"),
    ],
)
def test_films_of_others_are_refused_with_the_reason(
    description: dict[str, Any], code: str, packages: None, team: CareTeam
) -> None:
    analysis = arrive(film_file(3, size=448, **description), team)
    jobs.analyse(str(analysis.pk))
    analysis.refresh_from_db()
    assert (analysis.state, analysis.reason_code) == (State.REFUSED if code else State.SUCCEEDED, code)
    assert bool(analysis.findings.count()) == (not code)
    if code:
        with translation.override("zh-hans"):
            assert "年龄" in str(analysis.reason)
        assert "1960" not in str(analysis.reason_parameters)


def test_the_records_date_of_birth_counts_where_the_film_has_none(packages: None, team: CareTeam) -> None:
    known = take_in(film_file(1, birth_date=date(1960, 5, 4)), team).instance
    assert known is not None
    analysis = arrive(film_file(2, birth_date=None), team)
    assert analysis.series.study.patient == Patient.objects.get() == known.series.study.patient
    jobs.analyse(str(analysis.pk))
    analysis.refresh_from_db()
    assert analysis.reason_code == "too_old"


def test_a_batch_says_whose_age_is_not_known(packages: None, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    picture(folder / "grey.png")
    (folder / "adult.dcm").write_bytes(film_file(1, size=448, birth_date=date(1960, 5, 4)))

    def refusals(*options: str) -> dict[str, str]:
        call_command("predict", "cxr-pneumonia", str(folder), "--out", str(tmp_path / "out.csv"), *options)
        with (tmp_path / "out.csv").open(newline="") as file:
            return {Path(row["path"]).name: row["refusal"] for row in csv.DictReader(file)}

    without, told = refusals(), refusals("--age", "4")
    assert "the patient's age" in without["grey.png"] and told["grey.png"] == ""
    assert "5 years or younger" in without["adult.dcm"] and told["adult.dcm"] == without["adult.dcm"]


@pytest.mark.parametrize(("years", "refused"), [(4, True), (15, True), (17, False), (None, False)])
def test_the_risk_of_death_is_for_adults(
    years: int | None, refused: bool, packages: None, team: CareTeam, doctor: User
) -> None:
    now = timezone.now()
    born = None if years is None else (now - timedelta(days=366 * years)).date()
    study = take_in(film_file(1, birth_date=born, study_date=now.date()), team).instance.series.study  # type: ignore[union-attr]
    case = services.open_case(study.patient, title="Sepsis", started_at=now - timedelta(hours=30), actor=doctor)
    package = PackageVersion.objects.get(name="icu-deterioration")
    prediction = Prediction.objects.create(case=case, kind=PredictionKind.DETERIORATION, package=package)
    with pytest.raises(Refusal) as refusal:
        prediction_jobs.stay_input(prediction)
    assert refusal.value.code == ("too_young" if refused else "too_few_values")


def test_cards_say_the_ages_that_their_words_say(packages: None) -> None:
    cards = {package.name: package.card for package in installed_packages.find().packages}
    assert "one to five years" in cards["cxr-pneumonia"]["population"]["en"]
    assert cards["cxr-pneumonia"]["patient_age"] == CHILDREN
    assert "16 and older" in cards["icu-deterioration"]["population"]["en"]
    assert cards["icu-deterioration"]["patient_age"] == ADULTS


@pytest.mark.parametrize(
    "wrong",
    [{}, {"unknown": "refuse"}, {"minimum": 1}, {"minimum": 9, "maximum": 5, "unknown": "refuse"},
     {"minimum": -1, "unknown": "refuse"}, {"minimum": 1, "unknown": "maybe"},
     {"minimum": 1, "unknown": "refuse", "x": 1}],
)  # fmt: skip
def test_an_impossible_age_range_is_no_card(wrong: dict[str, Any]) -> None:
    card = copy.deepcopy(next(one.card for one in installed_packages.find().packages if one.name == "cxr-pneumonia"))
    validate_card(card)
    with pytest.raises(PackageRefused, match="patient_age"):
        validate_card({**card, "patient_age": wrong})

"""Exact values of rows, words with their negations, parts, and the pages on which models are tried."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from django.conf import settings as site
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import GradientBoostingRegressor

from apps.accounts.models import User
from apps.explainability import jobs, playground
from apps.explainability.explainers.fusion import shapley
from apps.explainability.explainers.tabular import shap_rows
from apps.explainability.explainers.text import shap_words
from apps.explainability.models import PlaygroundQuery
from apps.inference.engines.bag_of_words.words import Words, read_words
from apps.inference.engines.tree_table.trees import Trees, from_sklearn, read_trees
from apps.inference.models import Analysis, PackageVersion
from apps.inference.package_reader import read_package
from apps.inference.packages.card import Package, PackageRefused
from apps.jobs.models import State
from tests.factories import arrive, browser_of, film_file

BUNDLED = site.BASE_DIR / "apps/inference/bundled"


@pytest.fixture(scope="module")
def diabetes() -> Package:
    return read_package(BUNDLED / "diabetes-progression/1.0.0")


@pytest.fixture(scope="module")
def words() -> Words:
    return read_words(read_package(BUNDLED / "note-specialty/1.0.0"))


def test_parts_share_out_as_shapley_did() -> None:
    """The gloves game: a left glove is worth nothing without one of two right ones."""

    def gloves(coalitions: np.ndarray) -> np.ndarray:
        return (coalitions[:, 0] & (coalitions[:, 1] | coalitions[:, 2])).astype(float)

    values, nobody, everybody = shapley.shapley(gloves, 3)
    assert values == pytest.approx([2 / 3, 1 / 6, 1 / 6]) and (nobody, everybody) == (0, 1)
    with pytest.raises(ValueError, match="1 to 12 players"):
        shapley.shapley(gloves, 13)


@given(st.lists(st.floats(-5, 5), min_size=8, max_size=8))
@settings(max_examples=25, deadline=None)
def test_parts_agree_with_the_definition(worth: list[float]) -> None:
    def earnings(coalitions: np.ndarray) -> np.ndarray:
        return np.array([worth[int(row @ [1, 2, 4])] for row in coalitions])

    values, _nobody, _all = shapley.shapley(earnings, 3)
    slow = np.zeros(3)
    for order in permutations(range(3)):
        there = np.zeros((1, 3), bool)
        for part in order:
            before = earnings(there)[0]
            there[0, part] = True
            slow[part] += (earnings(there)[0] - before) / 6
    assert values == pytest.approx(slow, abs=1e-9)


def test_stored_trees_answer_as_the_fitted_ones_did() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 4))
    target = rows[:, 0] * rows[:, 1] + rows[:, 2]
    booster = GradientBoostingRegressor(n_estimators=20, random_state=0).fit(rows, target)
    trees = from_sklearn(booster, rows[:20])
    assert trees.predict(rows) == pytest.approx(booster.predict(rows))
    found = shap_rows.explain(trees, rows[0], {"a": [0, 1], "b": [2], "c": [3]})
    assert abs(found.gap) < 1e-6
    assert found.base + sum(found.group_values.values()) == pytest.approx(found.output, abs=1e-9)
    assert found.path_base + found.path_values.sum() == pytest.approx(found.output, abs=1e-5)
    exact, _nobody, _all = shapley.shapley(lambda who: alone(trees, rows[0], who), 4)
    assert found.values == pytest.approx(exact, abs=1e-6)


def alone(trees: Trees, row: np.ndarray, coalitions: np.ndarray) -> np.ndarray:
    """Answers with these features of the row and the others of the background: by the definition."""
    return np.array([trees.predict(np.where(who, row, trees.background)).mean() for who in coalitions])


def test_trees_that_point_astray_are_refused(diabetes: Package, tmp_path) -> None:  # type: ignore[no-untyped-def]
    trees = read_trees(diabetes)
    trees.left[0, 0] = 0
    folder = tmp_path / "x"
    folder.mkdir()
    trees.write(folder / "trees.safetensors")
    with pytest.raises(PackageRefused, match="do not fit the card"):
        read_trees(Package(folder, diabetes.card, "x"))
    (folder / "trees.safetensors").write_bytes(b"no trees")
    with pytest.raises(PackageRefused, match="holds no trees"):
        read_trees(Package(folder, diabetes.card, "x"))


@pytest.mark.parametrize(
    ("given_text", "negated"),
    [
        ("Denies chest pain or fever. Cough.", ["Denies chest pain or fever"]),
        ("No evidence of stone but hematuria.", ["No evidence of stone "]),
        ("Cough without fever, no rash", ["without fever", "no rash"]),
        ("Nothing is denied here", ["denied here"]),
        ("Notable knot", []),
    ],
)
def test_a_negation_is_one_unit_with_what_it_governs(given_text: str, negated: list[str]) -> None:
    units = shap_words.units_of(given_text)
    assert [unit.text for unit in units if unit.negated] == negated


@given(st.text(alphabet="ano deniwthu.,;\n ", max_size=60))
@settings(max_examples=200, deadline=None)
def test_units_are_the_text_again(given_text: str) -> None:
    units = shap_words.units_of(given_text)
    assert "".join(unit.text for unit in units) == given_text or not given_text.strip()
    assert all(unit.text for unit in units)


def test_words_add_up_and_the_telling_ones_lead(words: Words) -> None:
    found = shap_words.explain(
        words.probabilities, "Bilateral renal ultrasound shows no hydronephrosis. Kidney stones."
    )
    assert np.abs(found.gaps).max() < 1e-9
    radiology = found.values[1]
    assert "ultrasound" in found.units[int(radiology.argmax())].text
    sentences = found.by_sentence()
    assert len(sentences) == 2
    assert sum(values[1] for _text, values in sentences) == pytest.approx(radiology.sum())
    one = shap_words.explain(words.probabilities, "Ultrasound")
    assert np.abs(one.gaps).max() < 1e-9
    with pytest.raises(ValueError, match="no word"):
        shap_words.explain(words.probabilities, "")


def try_it(client: Client, package: str, data: dict[str, object]) -> tuple[str, PlaygroundQuery]:
    row = PackageVersion.objects.get(name=package, version="1.0.0")
    url = reverse("explainability:try", args=[row.name, row.version])
    assert client.get(url).status_code == 200
    answer = client.post(url, data)
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    asked = PlaygroundQuery.objects.latest("queued_at")
    waiting = client.get(answer["Location"]).content.decode()
    assert "Waiting for the model" in waiting and "hx-get" in waiting
    jobs.try_one(str(asked.pk))
    asked.refresh_from_db()
    assert asked.state == State.SUCCEEDED, asked.reason
    return client.get(answer["Location"]).content.decode(), asked


def test_a_row_is_answered_and_explained_on_its_page(packages: None, patient_user: User, doctor: User) -> None:
    client = browser_of(patient_user)
    card = PackageVersion.objects.get(name="diabetes-progression").card
    row = {feature["code"]: feature["typical"] for feature in card["features"]} | {"sex": "1", "bmi": 40}
    page, asked = try_it(client, "diabetes-progression", row)
    assert "Body mass index = 40" in page and "Exact (interventional TreeSHAP" in page and "Blood lipids" in page
    assert abs(asked.answer["gap"]) < 1e-6 and asked.answer["values"]["bmi"] > 0
    by = client.get(reverse("explainability:trial", args=[asked.pk]) + "?by=age").content.decode()
    assert "Effect of Age" in by
    assert browser_of(doctor).get(reverse("explainability:trial", args=[asked.pk])).status_code == 404


def test_a_text_is_answered_and_explained_on_its_page(packages: None, nurse: User) -> None:
    page, asked = try_it(browser_of(nurse), "note-specialty", {"text": "Renal ultrasound shows <b>no</b> stone."})
    assert "mark-for-3" in page and "negated" in page and "&lt;b&gt;" in page and "<b>no" not in page
    assert asked.answer["outputs"]["radiology"] > 0.5
    by = browser_of(nurse).get(reverse("explainability:trial", args=[asked.pk]) + "?by=urology").content.decode()
    assert "Words for and against Urology" in by


@pytest.mark.parametrize(
    ("package", "data"),
    [
        ("diabetes-progression", {"age": "old"}),
        ("note-specialty", {"text": "  "}),
        ("note-specialty", {"text": "x" * 5000}),
    ],
)
def test_what_is_no_row_or_text_is_said_in_the_form(packages: None, nurse: User, package: str, data: dict) -> None:  # type: ignore[type-arg]
    row = PackageVersion.objects.get(name=package, version="1.0.0")
    answer = browser_of(nurse).post(reverse("explainability:try", args=[row.name, row.version]), data)
    assert answer.status_code == 422 and "text-error" in answer.content.decode()
    assert not PlaygroundQuery.objects.exists()


def test_films_go_to_models_of_films_only(packages: None, team, nurse: User) -> None:  # type: ignore[no-untyped-def]
    arrive(film_file(3), team)
    assert {analysis.package.name for analysis in Analysis.objects.all()} == {"cxr-pneumonia"}
    film = PackageVersion.objects.get(name="cxr-pneumonia")
    assert browser_of(nurse).get(reverse("explainability:try", args=[film.name, film.version])).status_code == 404


def test_old_trials_are_removed(packages: None, nurse: User) -> None:
    package = PackageVersion.objects.get(name="note-specialty", version="1.0.0")
    for number in range(playground.MAX_QUERIES + 3):
        playground.submit(package, {"text": f"Renal {number}"}, actor=nurse)
    assert PlaygroundQuery.objects.count() == playground.MAX_QUERIES
    assert playground.own_queries(nurse)[0].given == {"text": f"Renal {playground.MAX_QUERIES + 2}"}

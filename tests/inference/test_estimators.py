"""The runtime ``skops``: scikit-learn's own estimators as packages, and nothing else."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from django.conf import settings as site
from django.urls import reverse
from safetensors.numpy import save_file
from sklearn.datasets import load_diabetes
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVR

from apps.accounts.models import User
from apps.explainability import jobs
from apps.explainability.explainers.tabular import shap_rows
from apps.explainability.models import PlaygroundQuery
from apps.inference import installed_packages
from apps.inference.engines.sklearn_table import estimator
from apps.inference.engines.sklearn_table.estimator import BACKGROUND, MODEL, Estimator
from apps.inference.models import PackageVersion
from apps.inference.package_reader import read_package, sha256
from apps.inference.packages.card import CARD, Package, PackageRefused
from tests.factories import browser_of

DATA = load_diabetes(scaled=False)


def packed(folder: Path, estimator: Any, rows: np.ndarray = DATA.data[:60]) -> Package:
    """A package of the estimator, with the card of ``diabetes-progression`` under another name."""
    folder.mkdir(parents=True)
    skops.io.dump(estimator, folder / MODEL)
    save_file({"rows": np.ascontiguousarray(rows)}, folder / BACKGROUND)
    card = json.loads((site.BASE_DIR / "apps/inference/bundled/diabetes-progression/1.0.0" / CARD).read_text())
    files = {name: sha256(folder / name) for name in (MODEL, BACKGROUND)}
    (folder / CARD).write_text(json.dumps(card | {"name": "own-model", "runtime": "skops", "files": files}))
    return read_package(folder)


@pytest.fixture
def pipeline() -> Any:
    return make_pipeline(StandardScaler(), SVR(C=100.0)).fit(DATA.data, DATA.target)


def test_a_pipeline_answers_as_it_did_and_adds_up(tmp_path: Path, pipeline: Any) -> None:
    model = Estimator(packed(tmp_path / "p", pipeline))
    assert model.predict(DATA.data) == pytest.approx(pipeline.predict(DATA.data))
    found = shap_rows.explain(model, DATA.data[5], {"a": list(range(5)), "b": list(range(5, 10))})
    assert found.how == "exact" and abs(found.gap) < 1e-6 and found.path_values is None
    assert sum(found.group_values.values()) == pytest.approx(found.output - found.base)


def test_linear_values_are_known_and_permutations_find_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ridge = Ridge().fit(DATA.data, DATA.target)
    model = Estimator(packed(tmp_path / "p", ridge))
    known = ridge.coef_ * (DATA.data[7] - DATA.data[:60].mean(axis=0))
    assert shap_rows.explain(model, DATA.data[7], {"all": list(range(10))}).values == pytest.approx(known)
    monkeypatch.setattr(shap_rows, "MAX_EXACT", 3)
    sampled = shap_rows.explain(model, DATA.data[7], {"all": list(range(10))})
    assert sampled.how == "permutations" and sampled.values == pytest.approx(known, abs=1e-6)
    assert shap_rows.cohort(model)[7] == pytest.approx(known, abs=1e-6)


def test_a_classifier_gives_the_second_class_probability(tmp_path: Path) -> None:
    high = DATA.target > 150
    chance = make_pipeline(StandardScaler(), LogisticRegression()).fit(DATA.data, high)
    answers = Estimator(packed(tmp_path / "p", chance)).predict(DATA.data)
    assert answers == pytest.approx(chance.predict_proba(DATA.data)[:, 1])
    three = DummyClassifier().fit(DATA.data, np.arange(len(DATA.data)) % 3)
    with pytest.raises(PackageRefused, match="needs two classes, this one has 3"):
        Estimator(packed(tmp_path / "three", three))


def shout(rows: np.ndarray) -> np.ndarray:
    raise AssertionError("code from a package ran")


def test_code_in_a_file_is_refused_before_it_runs(tmp_path: Path) -> None:
    evil = make_pipeline(FunctionTransformer(shout), Ridge())
    with pytest.raises(PackageRefused, match=r"types that are not scikit-learn's own.*shout"):
        Estimator(packed(tmp_path / "p", evil))


def test_damaged_files_are_refused(tmp_path: Path, pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    package = packed(tmp_path / "p", pipeline)
    whole = (package.folder / MODEL).read_bytes()
    (package.folder / MODEL).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PackageRefused, match="is no model that this scikit-learn reads"):
        Estimator(package)
    with zipfile.ZipFile(package.folder / MODEL, "w") as parts:
        parts.writestr("schema.json", "{}")
    with pytest.raises(PackageRefused, match="is no model that this scikit-learn reads"):
        Estimator(package)
    (package.folder / MODEL).write_bytes(whole)
    monkeypatch.setattr(estimator, "MAX_BYTES", 100)
    with pytest.raises(PackageRefused, match="when unpacked"):
        Estimator(package)
    monkeypatch.undo()
    (package.folder / BACKGROUND).write_bytes(b"nothing")
    with pytest.raises(PackageRefused, match="holds no array 'rows'"):
        Estimator(package)
    with pytest.raises(PackageRefused, match="differ in the number of features"):
        Estimator(packed(tmp_path / "narrow", Ridge().fit(DATA.data[:, :4], DATA.target)))
    with pytest.raises(PackageRefused, match="holds nothing that predicts"):
        Estimator(packed(tmp_path / "scaler", StandardScaler().fit(DATA.data)))


def test_an_installed_estimator_is_tried_on_its_page(
    packages: None, tmp_path: Path, pipeline: Any, settings: Any, nurse: User
) -> None:
    packed(tmp_path / "own-model" / "1.0.0", pipeline)
    settings.MODEL_PACKAGE_DIRS = [*settings.MODEL_PACKAGE_DIRS, tmp_path]
    installed_packages.synchronise()
    package = PackageVersion.objects.get(name="own-model")
    row = {feature["code"]: feature["typical"] for feature in package.card["features"]} | {"sex": "1"}
    client = browser_of(nurse)
    place = client.post(reverse("explainability:try", args=["own-model", "1.0.0"]), row)["Location"]
    jobs.try_one(str(PlaygroundQuery.objects.get().pk))
    page = client.get(place).content.decode()
    assert "every combination of values, against 60 background rows" in page and "path-dependent" not in page

"""Stays in intensive care: arrays, trees with missing values, the package, cohorts, training."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from sklearn.ensemble import HistGradientBoostingClassifier

from apps.explainability.explainers.image.attribution import Budget
from apps.explainability.explainers.timeseries.shap_stays import explain
from apps.inference.engines.icu_timeseries.features import HOURS, STATICS, Grid, feature_owners, features, grid_of
from apps.inference.engines.icu_timeseries.model import BANDS
from apps.inference.engines.runtime_cache import loaded_model
from apps.inference.engines.tree_table.trees import from_histogram
from apps.inference.package_reader import read_package
from apps.inference.packages.card import PackageRefused
from apps.inference.training.icu_deterioration import train
from apps.inference.training.icu_deterioration.data import CODES, read_set, stays_of
from apps.inference.training.icu_deterioration.train import Recipe, event1

PACKAGE = settings.BASE_DIR / "apps/inference/bundled/icu-deterioration/1.0.1"


def drawn(stays: int = 40, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """A made-up set: those who die have a faster heart and a lower coma score."""
    rng = np.random.default_rng(seed)
    rows, died = [], rng.random(stays) < 0.4
    for stay in range(stays):
        rows += [(stay + 1, 0, "Age", rng.integers(30, 90)), (stay + 1, 0, "Gender", 1), (stay + 1, 0, "ICUType", 3)]
        for hour in range(HOURS):
            rows.append((stay + 1, 60 * hour + 5, "HR", 85 + 30 * died[stay] + rng.normal(0, 5)))
            if hour % 4 == 0:
                rows.append((stay + 1, 60 * hour + 9, "GCS", 14 - 7 * died[stay] + rng.integers(-1, 2)))
    frame = pd.DataFrame(rows, columns=["record_id", "minute", "parameter", "value"])
    return frame, died


def few_rounds(bootstrap: Any, *arguments: Any, rounds: int) -> Any:
    """Intervals from a tenth of the samples: they take as long as everything else."""
    return bootstrap(*arguments, rounds=rounds // 10)


def test_hours_hold_means_and_extremes_and_slips_are_left_out() -> None:
    frame = pd.DataFrame(
        [
            (1, 5, "HR", 80),
            (1, 50, "HR", 100),
            (1, 61, "HR", 0),
            (1, 70, "pH", 735),
            (1, 0, "Age", 70),
            (1, 0, "Height", -1),
        ],
        columns=["record_id", "minute", "parameter", "value"],
    )
    grid = stays_of(frame).grid
    heart, acid = CODES.index("HR"), CODES.index("pH")
    assert grid.mean[0, 0, heart] == 90 and grid.low[0, 0, heart] == 80 and grid.high[0, 0, heart] == 100
    assert np.isnan(grid.mean[0, 1, heart]), "a heart rate of zero is a slip"
    assert grid.mean[0, 1, acid] == pytest.approx(7.35)
    assert grid.static[0, STATICS.index("age")] == 70 and np.isnan(grid.static[0, STATICS.index("height")])
    with pytest.raises(ValueError, match="columns"):
        stays_of(frame[["minute"]])


def test_features_see_nothing_of_later_hours() -> None:
    grid = stays_of(drawn(6)[0]).grid
    later = Grid(*(part.copy() for part in (grid.mean, grid.low, grid.high, grid.static)))
    later.mean[:, 12:] = 999
    assert np.array_equal(features(grid, 12, CODES), features(later, 12, CODES), equal_nan=True)
    assert features(grid, 12, CODES).shape[1] == len(feature_owners(CODES))
    one = features(grid[np.array([2])], 20, CODES)
    assert np.allclose(one, features(grid, 20, CODES)[2:3], equal_nan=True)


def test_our_trees_answer_as_scikit_learn_with_missing_values() -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(400, 5)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.3] = np.nan
    truth = np.nan_to_num(rows[:, 1]) + 0.5 * np.isnan(rows[:, 2]) > 0.2
    booster = HistGradientBoostingClassifier(max_iter=30).fit(rows[:, [1, 2, 4]], truth)
    ours = from_histogram(booster, np.array([1, 2, 4]), 5)
    assert np.allclose(ours.predict(rows), booster.decision_function(rows[:, [1, 2, 4]]), atol=1e-4)


def test_the_bundled_package_answers_and_is_explained_exactly() -> None:
    runtime = loaded_model(read_package(PACKAGE))
    frame, died = drawn(30)
    grid = stays_of(frame).grid
    hours = (6, *BANDS)
    risks = runtime.risks(grid, hours)
    assert risks.shape == (6, 30, 4) and ((risks > 0) & (risks < 1)).all()
    assert risks[-1, died, -1].mean() > 1.5 * risks[-1, ~died, -1].mean()
    found = explain(
        lambda many: runtime.risks(many, (48,))[-1, :, 0], grid[np.array([0])], 48, budget=Budget(evaluations=400)
    )
    assert abs(found.gap) < 1e-9 and [CODES[row] for row in found.rows] == ["GCS", "HR"]
    assert found.values.shape == (2, 8)


def test_shapley_of_an_additive_risk_are_its_parts() -> None:
    grid = grid_of(
        np.zeros(4, dtype=int), np.array([1, 7, 1, 8]), np.array([0, 0, 1, 2]), np.array([1.0, 2.0, 4.0, 8.0]),
        np.array([[70.0] + [np.nan] * 7]), width=3,
    )  # fmt: skip

    def risk(many: Grid) -> np.ndarray:
        return np.nansum(many.mean, axis=(1, 2)) / 100 + np.isfinite(many.static[:, 0]) * 0.25

    found = explain(risk, grid, 12)
    assert np.allclose(found.values, [[0.01, 0.02], [0.04, 0], [0, 0.08]]) and found.person == pytest.approx(0.25)


def test_a_damaged_package_is_refused(tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "icu-deterioration" / "1.0.1"
    shutil.copytree(PACKAGE, folder)
    (folder / "members.safetensors").write_bytes((folder / "members.safetensors").read_bytes()[:-100])
    with pytest.raises(PackageRefused):
        read_package(folder)


def test_a_small_training_makes_a_package_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "bootstrap", partial(few_rounds, train.bootstrap))
    for name, seed in (("a", 1), ("b", 2)):
        frame, died = drawn(40, seed)
        frame["record_id"] += 1000 * seed
        frame.to_parquet(tmp_path / f"set-{name}.parquet")
        table = {"RecordID": np.arange(1, 41) + 1000 * seed, "In-hospital_death": died.astype(int)}
        pd.DataFrame(table).to_csv(tmp_path / f"outcomes-{name}.csv", index=False)
    recipe = Recipe(trees=10, least=5, epochs=2, hidden=8, batch=16)
    card = train.train(tmp_path, tmp_path / "out", version="9.0.0", recipe=recipe)
    assert card["metrics"][0]["values"]["auroc_death"]["value"] > 0.8
    package = read_package(tmp_path / "out")
    assert loaded_model(package).risks(read_set(tmp_path).grid, (48,)).shape == (6, 80, 1)
    with pytest.raises(FileExistsError):
        train.train(tmp_path, tmp_path / "out", version="9.0.0", recipe=recipe)
    with pytest.raises(FileNotFoundError, match=r"set-a\.parquet"):
        read_set(tmp_path / "nowhere")


def test_a_cohort_by_the_command(tmp_path: Path) -> None:
    drawn(12)[0].to_parquet(tmp_path / "cohort.parquet")
    call_command(
        "predict", "icu-deterioration", str(tmp_path / "cohort.parquet"), out=tmp_path / "out.parquet", hours="6,48"
    )
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert len(found) == 24 and (found["least"] <= found["risk"]).all() and (found["risk"] <= found["greatest"]).all()
    for arguments in ({"hours": "5"}, {"hours": "many"}):
        with pytest.raises(CommandError):
            call_command(
                "predict", "icu-deterioration", str(tmp_path / "cohort.parquet"), out=tmp_path / "x.csv", **arguments
            )
    (tmp_path / "no.parquet").write_text("nothing")
    with pytest.raises(CommandError, match="no Parquet"):
        call_command("predict", "icu-deterioration", str(tmp_path / "no.parquet"), out=tmp_path / "x.csv")


def test_event1_is_the_best_balance() -> None:
    risk = np.array([0.9, 0.8, 0.7, 0.2, 0.1])
    assert event1(risk, np.array([True, True, False, False, False])) == 1
    assert event1(risk, np.array([False, True, False, True, False])) == 0.5


def test_the_package_keeps_its_card_on_real_stays(shared_data: Path) -> None:
    """Members have seen four fifths of these stays each, so this only shows that the package is the one measured."""
    stays = read_set(shared_data / "icu")
    rows = np.arange(0, 8000, 10)
    risk = loaded_model(read_package(PACKAGE)).risks(stays.grid[rows], (48,))[-1, :, 0]
    assert event1(risk, stays.died[rows]) > 0.53

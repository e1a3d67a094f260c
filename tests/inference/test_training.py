"""The parts of training: split, augmentation, calibration, figures, and one small run of the command."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from apps.inference.engines.radiograph.model import RadiographModel
from apps.inference.engines.radiograph.preprocessing import normalise, to_plane
from apps.inference.package_reader import read_package
from apps.inference.training.augmentation import augment
from apps.inference.training.cxr_pneumonia.data import Films, split_by_patient
from apps.inference.training.evaluation import (
    auroc,
    bootstrap,
    expected_calibration_error,
    fit_calibration,
    threshold_for_sensitivity,
)
from apps.synthetic.radiograph import Pattern
from tests.factories import film_pixels


def films(patients: list[int], labels: list[int]) -> Films:
    planes = np.zeros((len(patients), 224, 224), dtype=np.uint8)
    return Films(planes, np.array(labels), np.array([f"p{number}" for number in patients]))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2)), min_size=40, max_size=120))
def test_no_patient_is_in_two_parts(rows: list[tuple[int, int]]) -> None:
    everything = films([row[0] for row in rows], [row[1] for row in rows])
    parts = split_by_patient(everything, validation=0.2, test=0.2, seed=1)
    groups = [set(part.groups) for part in parts]
    assert sum(map(len, parts)) == len(everything)
    assert not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])


def test_augmentation_keeps_range_and_shape_and_varies() -> None:
    planes = torch.from_numpy(np.stack([to_plane(film_pixels(), size=224)] * 6))
    out = augment(planes, size=160, generator=torch.Generator().manual_seed(0))
    assert out.shape == (6, 160, 160)
    assert out.min() >= 0 and out.max() <= 255
    assert (out[0] - out[1]).abs().mean() > 3


def test_calibration_finds_temperature_and_class_shift() -> None:
    rng = np.random.default_rng(0)
    true_logits = rng.normal(size=(20_000, 3)) * 1.5 + np.array([1.0, 0.0, -0.5])
    labels = np.array([rng.choice(3, p=p) for p in softmax(true_logits, axis=1)])
    seen = 2.5 * (true_logits - np.array([1.0, 0.0, -0.5]))
    calibration = fit_calibration(seen, labels)
    assert calibration.temperature == pytest.approx(2.5, rel=0.05)
    assert calibration.bias[0] - calibration.bias[2] == pytest.approx(1.5, abs=0.1)
    probability = calibration.apply(seen)[:, 0]
    assert expected_calibration_error(probability, labels == 0) < 0.02


def test_the_threshold_keeps_the_sensitivity() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(500) < 0.4
    score = rng.normal(truth, 1)
    threshold = threshold_for_sensitivity(score, truth, 0.9)
    assert (score[truth] >= threshold).mean() >= 0.9
    assert (score[truth] > threshold).mean() < 0.91


def test_the_bootstrap_draws_patients() -> None:
    groups = np.array(["a"] * 50 + ["b"] * 50)
    values = np.array([0.0] * 50 + [1.0] * 50)
    figure = bootstrap(lambda rows: {"mean": float(values[rows].mean())}, groups, rounds=300)["mean"]
    assert (figure.value, figure.low, figure.high) == (0.5, 0.0, 1.0)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=2, max_size=60))
def test_the_auroc_is_that_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    truth, score = np.array([row[0] for row in rows]), np.array([row[1] / 9 for row in rows])
    if len(set(truth)) < 2:
        assert np.isnan(auroc(truth, score))
    else:
        assert auroc(truth, score) == pytest.approx(roc_auc_score(truth, score))


def test_planes_are_indifferent_to_exposure_and_polarity_is_kept() -> None:
    film = film_pixels(1, "normal", 256).astype(np.float32)
    plain, exposed = to_plane(film, size=192), to_plane(film * 3 + 500, size=192)
    assert np.abs(plain.astype(int) - exposed.astype(int)).mean() < 1
    assert normalise(torch.from_numpy(plain[None]))[0].mean().abs() < 1e-3
    with pytest.raises(ValueError):
        to_plane(np.zeros((3, 4, 5)), size=192)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twenty-four drawn films as a data folder."""
    folder = tmp_path / "data"
    folder.mkdir()
    patterns: list[Pattern] = ["normal", "focal", "diffuse"]
    names = ["normal", "bacterial", "viral"]
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "patient"])
        for number in range(48):
            pixels = film_pixels(100 + number % 12, patterns[number % 3], 128)
            Image.fromarray((pixels >> 4).astype(np.uint8)).save(folder / f"{number}.png")
            writer.writerow([f"{number}.png", names[number % 3], f"p{number}"])
    return folder


def test_the_command_trains_a_package_that_runs(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.inference.training.cxr_pneumonia import train

    real = train.synthetic_films
    monkeypatch.setattr(train, "synthetic_films", lambda part, count, **rest: real(part, 12, **rest))
    output = tmp_path / "package"
    arguments = ["train", "cxr-pneumonia", "--data", str(data), "--output", str(output), "--epochs", "1"]
    call_command(*arguments, "--workers", "1")
    package = read_package(output)
    runtime = RadiographModel(package)
    answer = runtime.run(runtime.prepare(film_pixels())[None])
    assert answer.probabilities.shape == (1, 4)
    assert {part["data"] for part in package.card["metrics"]} == {"real", "synthetic"}
    with pytest.raises(CommandError, match="choose another version"):
        call_command(*arguments)


def test_training_without_data_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"labels\.csv"):
        call_command("train", "cxr-pneumonia", "--data", str(tmp_path), "--output", str(tmp_path / "o"))

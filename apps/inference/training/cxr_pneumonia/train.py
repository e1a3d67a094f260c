"""Training, calibration, evaluation and packaging of ``cxr-pneumonia``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from torch import nn

from apps.inference.engines.radiograph.model import WEIGHTS
from apps.inference.training.cxr_pneumonia.card import compose
from apps.inference.training.cxr_pneumonia.data import Films, join, read_films, split_by_patient, synthetic_films
from apps.inference.training.evaluation import (
    Calibration,
    Figure,
    Scores,
    film_figures,
    fit_calibration,
    threshold_by_youden,
    threshold_for_sensitivity,
)
from apps.inference.training.fitting import Epoch, Recipe, fit, logits_of, resize
from apps.inference.training.guarding import fit_guard
from apps.inference.training.packing import begin, finish
from apps.inference.training.recipes import TrainingRun

SENSITIVITY = 0.98
Progress = Callable[[str, int, int, str], None]
"""Called with (stage, done, total, remark)."""


@dataclass(frozen=True)
class Parts:
    """The images by split."""

    train: Films
    validation: Films
    validation_synthetic: Films
    test_real: Films
    test_synthetic: Films


def run(job: TrainingRun) -> dict[str, Any]:
    """Train the package; return its card."""
    recipe = replace(Recipe(), epochs=job.epochs) if job.epochs else Recipe()
    return train(
        job.data_folder(),
        job.output,
        version=job.version,
        recipe=recipe,
        workers=job.workers,
        progress=job.progress,
    )


def train(
    data: Path, output: Path, *, version: str, recipe: Recipe, workers: int, progress: Progress
) -> dict[str, Any]:
    """Train from scratch and write the package to ``output``.

    Returns:
        The card.

    Raises:
        FileNotFoundError: if ``data`` does not contain the images.
        FileExistsError: if ``output`` holds a package already.
    """
    begin(output)
    parts = gather(data, recipe, workers, progress)

    def on_step(done: int, total: int, epoch: Epoch | None) -> None:
        remark = f"epoch {epoch.number}: loss {epoch.loss:.3f}, validation {epoch.score:.4f}" if epoch else ""
        progress("training", done, total, remark)

    network = fit(recipe, parts.train, parts.validation, on_step)
    progress("measuring", 0, 1, "")
    card = pack(network, parts, recipe, output, version)
    progress("measuring", 1, 1, "")
    return card


def gather(data: Path, recipe: Recipe, workers: int, progress: Progress) -> Parts:
    """Read the real images, generate the synthetic ones, split by patient (75, 10 and 15 % of the patients)."""
    real = read_films(data, lambda done, total: progress("reading films", done, total, ""))
    train_part, validation, test = split_by_patient(real, validation=0.10, test=0.15, seed=recipe.seed)

    def draw(part: str, count: int) -> Films:
        return synthetic_films(
            part, count, workers=workers, progress=lambda done, total: progress(f"drawing {part}", done, total, "")
        )

    return Parts(join([train_part, draw("train", 750)]), validation, draw("validation", 150), test, draw("test", 300))


def pack(network: nn.Module, parts: Parts, recipe: Recipe, output: Path, version: str) -> dict[str, Any]:
    """Calibrate on the validation patients, evaluate on the test patients, write weights and card."""
    logits = logits_of(network, parts.validation, size=recipe.size)
    calibration = fit_calibration(logits, parts.validation.labels)
    thresholds = _thresholds(calibration.apply(logits), parts.validation)
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, output / WEIGHTS)
    validation_planes = [_planes(films, recipe) for films in (parts.validation, parts.validation_synthetic)]
    novelty = fit_guard(_planes(parts.train, recipe), validation_planes, output)
    tests = {"real": parts.test_real, "synthetic": parts.test_synthetic}
    figures = {
        name: _figures(network, films, recipe, calibration, thresholds["pneumonia"]) for name, films in tests.items()
    }
    card = compose(
        version=version,
        recipe=asdict(recipe),
        calibration=calibration,
        thresholds=thresholds,
        novelty=novelty,
        figures=figures,
        counts={name: (len(films), len(np.unique(films.groups))) for name, films in tests.items()},
        train_count=(len(parts.train), len(np.unique(parts.train.groups))),
        framework=f"torch {torch.__version__.split('+')[0]}",
    )
    return finish(output, card)


def _thresholds(probability: Scores, films: Films) -> dict[str, float]:
    ill = films.labels > 0
    return {
        "pneumonia": threshold_for_sensitivity(1 - probability[:, 0], ill, SENSITIVITY),
        "bacterial_pneumonia": threshold_by_youden(probability[:, 1], films.labels == 1),
        "viral_pneumonia": threshold_by_youden(probability[:, 2], films.labels == 2),
        "normal": threshold_by_youden(probability[:, 0], films.labels == 0),
    }


def _planes(films: Films, recipe: Recipe) -> npt.NDArray[np.float32]:
    return resize(torch.from_numpy(films.planes), recipe.size).numpy()


def _figures(
    network: nn.Module, films: Films, recipe: Recipe, calibration: Calibration, threshold: float
) -> dict[str, Figure]:
    logits = logits_of(network, films, size=recipe.size)
    return film_figures(calibration.apply(logits), films.labels, films.groups, threshold=threshold)

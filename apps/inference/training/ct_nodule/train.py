"""Training, calibration, evaluation and packaging of ``ct-nodule`` on simulated volumes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn import functional as F

from apps.inference.engines.radiograph import networks
from apps.inference.engines.radiograph.model import WEIGHTS
from apps.inference.engines.volume.model import scaled
from apps.inference.training.ct_nodule.card import compose
from apps.inference.training.ct_nodule.data import Volumes, draw_volumes
from apps.inference.training.evaluation import (
    Figure,
    Scores,
    bootstrap,
    expected_calibration_error,
    fit_calibration,
    threshold_for_sensitivity,
)
from apps.inference.training.guarding import fit_guard
from apps.inference.training.packing import begin, finish
from apps.inference.training.recipes import TrainingRun

SENSITIVITY = 0.95
Progress = Callable[[str, int, int, str], None]
"""Called with (stage, done, total, remark)."""


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters; all are written to the model card.

    Training starts on patches, half of them with a nodule, since one label per volume gives too little signal. Then
    whole volumes are used, where the maximum over positions decides, which mines the hardest positions.
    """

    architecture: str = "volume_net"
    volumes: int = 900
    validation: int = 240
    test: int = 400
    piece: tuple[int, int, int] = (16, 32, 32)
    steps: int = 1300
    pieces: int = 48
    learning_rate: float = 4e-3
    whole_epochs: int = 3
    whole_batch: int = 16
    whole_learning_rate: float = 4e-4
    weight_decay: float = 0.01
    seed: int = 7


def run(job: TrainingRun) -> dict[str, Any]:
    """Train the package; return its card."""
    recipe = replace(Recipe(), whole_epochs=job.epochs or Recipe.whole_epochs)
    return train(job.output, version=job.version, recipe=recipe, workers=job.workers, progress=job.progress)


def train(output: Path, *, version: str, recipe: Recipe, workers: int, progress: Progress) -> dict[str, Any]:
    """Simulate volumes, train from scratch and write the package to ``output``; return its card.

    Raises:
        FileExistsError: if ``output`` holds a package already.
    """
    begin(output)
    parts = {
        part: draw_volumes(part, count, workers=workers, progress=_drawing(part, progress))
        for part, count in (("train", recipe.volumes), ("validation", recipe.validation), ("test", recipe.test))
    }
    network = fit(recipe, parts["train"], parts["validation"], progress)
    calibration = fit_calibration(logits_of(network, parts["validation"]), parts["validation"].labels)
    probabilities = calibration.apply(logits_of(network, parts["validation"]))[:, 1]
    thresholds = {"nodule": threshold_for_sensitivity(probabilities, parts["validation"].labels == 1, SENSITIVITY)}
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, output / WEIGHTS)
    answers = calibration.apply(logits_of(network, parts["test"]))[:, 1]
    card = compose(
        version=version,
        recipe=asdict(recipe)
        | {"piece": list(recipe.piece)}
        | {"framework": f"torch {torch.__version__.split('+')[0]}"},
        calibration=calibration,
        threshold=thresholds["nodule"],
        novelty=fit_guard(parts["train"].boxes, [parts["validation"].boxes], output),
        figures=_figures(answers, parts["test"], thresholds["nodule"]),
        count=len(parts["test"]),
    )
    return finish(output, card)


def fit(recipe: Recipe, volumes: Volumes, validation: Volumes, progress: Progress) -> nn.Module:
    """Train on patches, then on whole volumes; return the network of the epoch with the best validation likelihood."""
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    network: Any = networks.build(recipe.architecture, outputs=2)
    _fit_pieces(network, recipe, volumes, progress)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.whole_learning_rate, weight_decay=recipe.weight_decay)
    boxes, labels = torch.from_numpy(volumes.boxes), torch.from_numpy(volumes.labels)
    steps = len(volumes) // recipe.whole_batch
    best, least = copy.deepcopy(network), _likelihood(network, validation)
    for number in range(recipe.whole_epochs):
        network.train()
        order = torch.randperm(len(volumes), generator=generator)
        for step in range(steps):
            rows = order[step * recipe.whole_batch : (step + 1) * recipe.whole_batch]
            inputs = _augmented(scaled(boxes[rows]), generator)
            _step(network, optimiser, F.cross_entropy(network(inputs), labels[rows], label_smoothing=0.02))
            progress("whole volumes", number * steps + step + 1, recipe.whole_epochs * steps, "")
        loss = _likelihood(network, validation)
        progress("whole volumes", (number + 1) * steps, recipe.whole_epochs * steps, f"validation {loss:.4f}")
        if loss < least:
            best, least = copy.deepcopy(network), loss
    return best.eval()  # type: ignore[no-any-return]


def _fit_pieces(network: Any, recipe: Recipe, volumes: Volumes, progress: Progress) -> None:
    """Train each position of a patch to predict whether it contains a nodule."""
    rng = np.random.default_rng(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, total_steps=recipe.steps, pct_start=0.2
    )
    middles = {
        int(number): np.argwhere(volumes.nodules[number]).mean(axis=0) for number in np.flatnonzero(volumes.labels)
    }
    network.train()
    total = 0.0
    for step in range(1, recipe.steps + 1):
        cuts = []
        for piece in range(recipe.pieces):
            near = piece < recipe.pieces // 2
            number = int(rng.choice(list(middles)) if near else rng.integers(len(volumes)))
            cuts.append((number, _corner(rng, volumes.boxes[number], middles[number] if near else None, recipe.piece)))
        patches, masks = (
            torch.from_numpy(np.stack([kind[number][corner] for number, corner in cuts]))
            for kind in (volumes.boxes, volumes.nodules)
        )
        both = torch.cat([scaled(patches), masks.unsqueeze(1).float()], dim=1)
        for axis in (2, 3, 4):  # nodules have no orientation
            if rng.random() < 0.5:
                both = both.flip(axis)
        logits = network.both(_noisy(both[:, :1], generator))[1]
        total += _step(network, optimiser, _position_loss(logits, both[:, 1:]))
        schedule.step()
        remark = "" if step % 100 else f"step {step}: {total / 100:.3f}"
        total = total if step % 100 else 0.0
        progress("pieces", step, recipe.steps, remark)


def _corner(rng: np.random.Generator, box: Any, near: Any, size: tuple[int, int, int]) -> tuple[slice, ...]:
    """A patch around a nodule, or at a random position in a lung (dark, but not air)."""
    if near is None:
        candidates = np.argwhere((box[::4, ::4, ::4] > 10) & (box[::4, ::4, ::4] < 70))
        middle = 4.0 * candidates[rng.integers(len(candidates))] if len(candidates) else np.array(box.shape) / 2
    else:
        middle = near + rng.uniform(-0.3, 0.3, 3) * np.array(size)
    first = np.clip(np.round(middle - np.array(size) / 2), 0, np.array(box.shape) - np.array(size)).astype(int)
    return tuple(slice(at, at + length) for at, length in zip(first, size, strict=True))


def _step(network: nn.Module, optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> float:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 2.0)
    optimiser.step()
    return float(loss.detach())


def _likelihood(network: nn.Module, volumes: Volumes) -> float:
    """Mean negative log likelihood after calibration: correctable miscalibration does not count."""
    logits = logits_of(network, volumes)
    probabilities = fit_calibration(logits, volumes.labels).apply(logits)[np.arange(len(volumes)), volumes.labels]
    return float(-np.log(np.clip(probabilities, 1e-9, None)).mean())


def logits_of(network: nn.Module, volumes: Volumes, *, batch: int = 16) -> Scores:
    """Logits (n, 2) of volumes, without augmentation."""
    network.eval()
    with torch.inference_mode():
        answers = [
            network(scaled(torch.from_numpy(volumes.boxes[start : start + batch])))
            for start in range(0, len(volumes), batch)
        ]
    return torch.cat(answers).double().numpy()


def _position_loss(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Class-balanced cross-entropy of the positions' logits against the nodule mask."""
    positive = F.adaptive_max_pool3d(masks, logits.shape[2:])
    losses = F.binary_cross_entropy_with_logits(logits, positive, reduction="none")
    hit, rest = (
        (losses * positive).sum() / positive.sum().clamp_min(1),
        (losses * (1 - positive)).sum() / (1 - positive).sum(),
    )
    return hit + rest


def _noisy(inputs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    shift = 0.04 * torch.randn(len(inputs), 1, 1, 1, 1, generator=generator)
    return inputs + shift + 0.01 * torch.randn(inputs.shape, generator=generator)


def _augmented(inputs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Augment a batch of volumes: mirror, shift by a few voxels, vary brightness and noise."""
    for axis in (2, 4):
        if torch.rand(1, generator=generator) < 0.5:
            inputs = inputs.flip(axis)
    moves = [int(torch.randint(-3, 4, (1,), generator=generator)) for _ in range(3)]
    return _noisy(inputs.roll(moves, (2, 3, 4)), generator)


def _figures(answers: Scores, volumes: Volumes, threshold: float) -> dict[str, Figure]:
    ill, small = volumes.labels == 1, volumes.diameters < 16

    def measure(rows: Any) -> dict[str, float]:
        here, truth = answers[rows], ill[rows]
        return {
            "auroc_nodule": float(roc_auc_score(truth, here)) if len(set(truth)) == 2 else float("nan"),
            "auroc_nodule_below_16_mm": float(roc_auc_score(truth[small[rows]], here[small[rows]])),
            "sensitivity_nodule": float((here[truth] >= threshold).mean()),
            "specificity_nodule": float((here[~truth] < threshold).mean()),
            "ece_nodule": expected_calibration_error(here, truth),
        }

    return bootstrap(measure, np.arange(len(volumes)).astype(str))


def _drawing(part: str, progress: Progress) -> Callable[[int, int], None]:
    return lambda done, total: progress(f"drawing {part}", done, total, "")

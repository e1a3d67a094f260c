"""Training of a radiograph model from scratch."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F

from apps.inference.engines.radiograph import networks
from apps.inference.engines.radiograph.preprocessing import normalise
from apps.inference.training.augmentation import augment
from apps.inference.training.cxr_pneumonia.data import LABELS, Films
from apps.inference.training.evaluation import Labels, Scores, fit_calibration


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters; all are written to the model card."""

    architecture: str = "mobilenet_v3_small_gray"
    size: int = 192
    epochs: int = 70
    patience: int = 15
    batch: int = 48
    learning_rate: float = 2.5e-3
    weight_decay: float = 0.03
    label_smoothing: float = 0.05
    average_decay: float = 0.996
    seed: int = 7


@dataclass(frozen=True)
class Epoch:
    """Result of an epoch; ``score`` is the early-stopping criterion."""

    number: int
    loss: float
    score: float


def fit(
    recipe: Recipe, train: Films, validation: Films, progress: Callable[[int, int, Epoch | None], None]
) -> nn.Module:
    """Train and return the network of the best epoch (its exponential weight average).

    AdamW with a one-cycle learning rate, class weights, early stopping on the validation patients.

    Args:
        progress: called with (step, total steps, the epoch that just ended or None).
    """
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    network = networks.build(recipe.architecture, outputs=len(LABELS))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.1  # torchvision's 0.01 is too slow for a few thousand steps
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(network).eval()
    best, best_score, waited = copy.deepcopy(average), -np.inf, 0
    steps = len(train) // recipe.batch
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, total_steps=steps * recipe.epochs, pct_start=0.15
    )
    weights = _class_weights(train.labels)
    planes, labels = torch.from_numpy(train.planes), torch.from_numpy(train.labels)
    for number in range(recipe.epochs):
        network.train()
        total = 0.0
        order = torch.randperm(len(train), generator=generator)
        for step in range(steps):
            rows = order[step * recipe.batch : (step + 1) * recipe.batch]
            inputs = normalise(augment(planes[rows], size=recipe.size, generator=generator))
            logits = network(inputs.contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(logits, labels[rows], weights, label_smoothing=recipe.label_smoothing)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimiser.step()
            schedule.step()
            follow(average, network, recipe.average_decay, number * steps + step)
            total += loss.item()
            progress(number * steps + step + 1, recipe.epochs * steps, None)
        score = _score(logits_of(average, validation, size=recipe.size), validation.labels)
        progress((number + 1) * steps, recipe.epochs * steps, Epoch(number + 1, total / steps, score))
        if score > best_score:
            best, best_score, waited = copy.deepcopy(average), score, 0
        else:
            waited += 1
            if waited >= recipe.patience:
                break
    return best


def logits_of(network: nn.Module, films: Films, *, size: int, batch: int = 64) -> Scores:
    """Logits (n, classes) of images, without augmentation."""
    network.eval()
    logits = []
    with torch.inference_mode():
        for start in range(0, len(films), batch):
            inputs = normalise(resize(torch.from_numpy(films.planes[start : start + batch]), size))
            logits.append(network(inputs))
    return torch.cat(logits).double().numpy()


def resize(planes: torch.Tensor, size: int) -> torch.Tensor:
    """Resize to (n, size, size) float32; equals Pillow's BILINEAR to half a grey level."""
    scaled = F.interpolate(
        planes.unsqueeze(1).to(torch.float32), (size, size), mode="bilinear", antialias=True, align_corners=False
    )
    return scaled.squeeze(1).round()


def _class_weights(labels: npt.NDArray[np.int64]) -> torch.Tensor:
    counts = np.bincount(labels, minlength=len(LABELS))
    return torch.tensor(len(labels) / (len(LABELS) * counts), dtype=torch.float32)


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Update an exponential moving average of weights and buffers, with a shorter memory at the start."""
    decay = min(decay, (1 + step) / (10 + step))
    for averaged, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if averaged.dtype.is_floating_point:
            averaged.lerp_(new, 1 - decay)
        else:
            averaged.copy_(new)


def _score(logits: Scores, labels: Labels) -> float:
    """Mean log likelihood after calibration: sensitive to ranking and confidence."""
    calibrated = fit_calibration(logits, labels).apply(logits)
    return float(np.log(np.clip(calibrated[np.arange(len(labels)), labels], 1e-9, None)).mean())

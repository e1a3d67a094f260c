"""Training of an amortised explainer on the values of coalitions of regions.

The loss is FastSHAP's (Jethani et al., ICLR 2022, eq. 6): for coalitions from the Shapley kernel, the
squared difference between their value and the sum of their regions' attributions. Its minimum over all
coalitions is attained by the Shapley values. Coalitions are evaluated once, before training.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from apps.explainability.explainers.image.amortised import SCALE, Explainer
from apps.explainability.explainers.image.baselines import References, nearest, thumbnails
from apps.explainability.explainers.image.coalition_game import Game, Regions
from apps.explainability.explainers.image.sampled import draw_pairs
from apps.inference.training.fitting import follow

Answer = Callable[[torch.Tensor], torch.Tensor]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class ExplainerRecipe:
    """Hyperparameters; written to the card.

    Attributes:
        varied: number of augmented copies of each training image, with the classifier's own augmentation; without them
            the explainer overfits a few thousand images within ten epochs.
    """

    varied: int = 1
    coalitions: int = 64
    epochs: int = 24
    batch: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    average_decay: float = 0.99
    seed: int = 3


@dataclass(frozen=True)
class CoalitionData:
    """Images with the values of coalitions of their regions.

    Attributes:
        films: (n, rows, columns) uint8.
        baselines: (n,) index of each image's reference plane.
        ends: (n, 2, spaces, outputs) values of baseline and image.
        coalitions: (n, k, regions) bool.
        values: (n, k, spaces, outputs) float32.
    """

    films: npt.NDArray[np.uint8]
    baselines: npt.NDArray[np.intp]
    ends: npt.NDArray[np.float32]
    coalitions: npt.NDArray[np.bool_]
    values: npt.NDArray[np.float32]


def evaluate_coalitions(
    answer: Answer,
    films: npt.NDArray[np.uint8],
    references: References,
    regions: Regions,
    recipe: ExplainerRecipe,
    progress: Progress,
) -> CoalitionData:
    """Evaluate the model on random coalitions of each image."""
    rng = np.random.default_rng(recipe.seed)
    of = nearest(thumbnails(films), references.thumbnails)
    ends, coalitions, values = [], [], []
    started = time.perf_counter()
    for number, film in enumerate(films):
        game = Game(answer, film, references.planes[of[number]], regions, batch=recipe.coalitions + 2)
        chosen = draw_pairs(rng, recipe.coalitions, regions.count)
        edges = np.stack([np.zeros(regions.count, bool), np.ones(regions.count, bool)])
        answers = game.values(np.concatenate([edges, chosen]))
        ends.append(answers[:2])
        coalitions.append(chosen)
        values.append(answers[2:])
        seconds = time.perf_counter() - started
        remark = f"{number + 1} films, {seconds:.0f} s" if (number + 1) % 500 == 0 else ""
        progress(number + 1, len(films), remark)
    stacked = np.stack(ends).astype(np.float32), np.stack(coalitions), np.stack(values).astype(np.float32)
    return CoalitionData(films, of, *stacked)


def fit(
    explainer: Explainer,
    train: CoalitionData,
    validation: CoalitionData,
    references: References,
    recipe: ExplainerRecipe,
    progress: Progress,
) -> Explainer:
    """Train and return the explainer of the best epoch (its exponential weight average)."""
    torch.manual_seed(recipe.seed)
    explainer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(explainer).eval()
    best, best_loss = copy.deepcopy(average), np.inf
    steps = len(train.films) // recipe.batch
    optimiser = torch.optim.AdamW(explainer.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, total_steps=steps * recipe.epochs, pct_start=0.2
    )
    started = time.perf_counter()
    for epoch in range(1, recipe.epochs + 1):
        explainer.train()
        order = torch.randperm(len(train.films)).numpy()
        total = 0.0
        for step in range(steps):
            rows = order[step * recipe.batch : (step + 1) * recipe.batch]
            value = _loss(explainer, train, references, rows)
            optimiser.zero_grad()
            value.backward()
            torch.nn.utils.clip_grad_norm_(explainer.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            follow(average, explainer, recipe.average_decay, (epoch - 1) * steps + step)
            total += value.item()
        held = loss_of(average, validation, references)
        remark = (
            f"epoch {epoch}: loss {total / steps:.4f}, validation {held:.4f}, {time.perf_counter() - started:.0f} s"
        )
        progress(epoch, recipe.epochs, remark)
        if held < best_loss:
            best, best_loss = copy.deepcopy(average), held
    return best


def loss_of(explainer: Explainer, earned: CoalitionData, references: References) -> float:
    """Mean loss over images, in evaluation mode."""
    explainer.eval()
    with torch.inference_mode():
        parts = np.array_split(np.arange(len(earned.films)), max(1, len(earned.films) // 64))
        return float(np.mean([_loss(explainer, earned, references, rows).item() for rows in parts]))


def _loss(
    explainer: Explainer, earned: CoalitionData, references: References, rows: npt.NDArray[np.integer]
) -> torch.Tensor:
    films = torch.from_numpy(earned.films[rows].astype(np.float32))
    baselines = torch.from_numpy(references.planes[earned.baselines[rows]].astype(np.float32))
    ends, values = torch.from_numpy(earned.ends[rows]), torch.from_numpy(earned.values[rows])
    seen = torch.from_numpy(earned.coalitions[rows].astype(np.float32))
    raw = explainer(films, baselines)
    lack = ends[:, 1] - ends[:, 0] - raw.sum(dim=-1)
    shared = raw + (lack / raw.shape[-1]).unsqueeze(-1)
    predicted = ends[:, None, 0] + torch.einsum("nkr,nsor->nkso", seen, shared)
    errors = (predicted - values) / torch.tensor(SCALE).reshape(1, 1, -1, 1)
    return errors.pow(2).mean()

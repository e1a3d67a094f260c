"""Learning the healthy reference planes of a radiograph package.

Ideally a hidden region would be replaced by that of a real, similar healthy image: healthy images then stay
healthy whatever is hidden, and pathological ones lose their findings piece by piece. But real images belong
to patients. Therefore a few planes are initialised as averages of many healthy images and trained until the
model's outputs for composites with them match those for composites with real healthy images. They contain
averages of hundreds and gradients of thousands of images, but no patient's image.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from sklearn.cluster import KMeans

from apps.explainability.explainers.image.baselines import References, nearest, thumbnails
from apps.explainability.explainers.image.coalition_game import Regions

Answer = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class ReferenceRecipe:
    """Hyperparameters; written to the card."""

    planes: int = 8
    steps: int = 1500
    batch: int = 32
    learning_rate: float = 3.0
    tether: float = 0.5
    shift: int = 3
    seed: int = 1


def learn(
    answer: Answer,
    films: npt.NDArray[np.uint8],
    healthy: npt.NDArray[np.bool_],
    patients: npt.NDArray[np.str_],
    regions: Regions,
    recipe: ReferenceRecipe,
    progress: Callable[[int, int, str], None],
) -> References:
    """Learn the reference planes.

    Args:
        answer: differentiable function from (n, rows, columns) to log-probabilities (n, classes).
        films: (n, rows, columns) training images.
        healthy: (n,) which of them have no finding.
        patients: (n,) patient of each image; an image is never paired with one of the same patient.
        progress: called with (steps done, total, remark).
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    small = thumbnails(films)
    clusters = KMeans(recipe.planes, n_init=3, random_state=recipe.seed).fit(small[healthy])
    start = np.stack([films[healthy][clusters.labels_ == number].mean(axis=0) for number in range(recipe.planes)])
    twins = _twins(small, healthy, patients)
    of = nearest(small, clusters.cluster_centers_.astype(np.float32))
    first = torch.from_numpy(start.astype(np.float32))
    planes = first.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([planes], lr=recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, total_steps=recipe.steps, pct_start=0.1
    )
    total, started = 0.0, time.perf_counter()
    for step in range(1, recipe.steps + 1):
        rows = rng.integers(len(films), size=recipe.batch)
        film = torch.from_numpy(films[rows].astype(np.float32))
        twin = torch.from_numpy(films[twins[rows]].astype(np.float32))
        seen = regions.seen(torch.from_numpy(draw(rng, recipe.batch, regions.count)))
        shift = tuple(int(by) for by in rng.integers(-recipe.shift, recipe.shift + 1, 2))
        with torch.no_grad():
            target = answer(torch.roll(torch.lerp(twin, film, seen), shift, (1, 2)))
        ours = planes[torch.from_numpy(of[rows])].clamp(0, 255)
        output = answer(torch.roll(torch.lerp(ours, film, seen), shift, (1, 2)))
        divergence = (target.exp() * (target - output)).sum(dim=1).mean()
        loss = divergence + recipe.tether * ((planes - first) / 255).pow(2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        total += divergence.item()
        remark = f"divergence {total / 100:.3f}, {time.perf_counter() - started:.0f} s" if step % 100 == 0 else ""
        total = total if step % 100 else 0.0
        progress(step, recipe.steps, remark)
    drawn = planes.detach().clamp(0, 255).round().to(torch.uint8).numpy()
    return References(drawn, clusters.cluster_centers_.astype(np.float32))


def draw(rng: np.random.Generator, count: int, players: int) -> npt.NDArray[np.float32]:
    """Draw coalitions (count, players): 40 % from the Shapley kernel, 50 % of uniform size, 10 % empty."""
    sizes = np.arange(1, players)
    kernel = 1 / (sizes * (players - sizes))
    coalitions = np.zeros((count, players), dtype=np.float32)
    for row in coalitions:
        which = rng.random()
        if which < 0.9:
            size = rng.choice(sizes, p=kernel / kernel.sum()) if which < 0.4 else rng.integers(players)
            row[rng.permutation(players)[:size]] = 1
    return coalitions


def _twins(
    small: npt.NDArray[np.float32], healthy: npt.NDArray[np.bool_], patients: npt.NDArray[np.str_]
) -> npt.NDArray[np.intp]:
    """Index of the most similar healthy image of another patient for each image."""
    candidates = np.flatnonzero(healthy)
    _, owners = np.unique(patients, return_inverse=True)
    twins = np.empty(len(small), dtype=np.intp)
    squares = (small[candidates] ** 2).sum(axis=1)
    for start in range(0, len(small), 256):
        rows = slice(start, start + 256)
        distances = squares[None] - 2 * small[rows] @ small[candidates].T
        distances[owners[rows][:, None] == owners[candidates][None]] = np.inf
        twins[rows] = candidates[distances.argmin(axis=1)]
    return twins

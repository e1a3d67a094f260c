"""An image as a cooperative game: regions are the players, the model's output is the value function.

A coalition is the set of visible regions; the others are replaced by a baseline. Shapley values (Shapley
1953; Lundberg and Lee, NeurIPS 2017) distribute the difference between image and baseline output.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

Model = Callable[[torch.Tensor], torch.Tensor]
"""(n, rows, columns) or (n, planes, rows, columns) grey levels to (n, outputs) probabilities."""
Values = npt.NDArray[np.float64]
SPACES = ("probability", "log_odds")
"""Output spaces of attributions: probabilities are shown on pages, log-odds do not saturate."""
MIN_PROBABILITY = 1e-6
BATCH = {2: 32, 3: 8}
"""Batch size for images (2 axes) and volumes (3 axes)."""


@dataclass(frozen=True)
class Regions:
    """A regular grid of regions of an image (2-D) or a volume (3-D).

    Attributes:
        grid: number of regions along each axis.
        shape: size in pixels along each axis.
    """

    grid: tuple[int, ...]
    shape: tuple[int, ...]

    @cached_property
    def count(self) -> int:
        """Number of players."""
        return int(np.prod(self.grid))

    @property
    def smooth(self) -> str:
        """Name of torch's linear interpolation mode for these axes."""
        return "bilinear" if len(self.grid) == 2 else "trilinear"

    def seen(self, coalitions: torch.Tensor) -> torch.Tensor:
        """Visibility of each pixel, (n, *shape) in 0..1, for coalitions (n, count).

        Borders are soft (linear between region centres): hard ones would be artificial edges, which a
        model may take for findings.
        """
        boxes = coalitions.reshape(len(coalitions), 1, *self.grid).to(torch.float32)
        return F.interpolate(boxes, self.shape, mode=self.smooth, align_corners=False)[:, 0]

    def spread(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Distribute attributions of regions (outputs, count) to pixels (outputs, *shape); sums are preserved."""
        boxes = values.reshape(len(values), *self.grid)
        for axis, (number, length) in enumerate(zip(self.grid, self.shape, strict=True), start=1):
            edges = np.round(np.linspace(0, length, number + 1)).astype(int)
            sizes = np.diff(edges)
            boxes = np.repeat(boxes / sizes.reshape([-1 if a == axis else 1 for a in range(boxes.ndim)]), sizes, axis)
        return boxes.astype(np.float32)

    def gather(self, pixels: npt.NDArray[np.floating]) -> Values:
        """Sum attributions of pixels, or of a finer grid, by region, (outputs, count)."""
        sums = pixels.astype(np.float64)
        for axis, (number, length) in enumerate(zip(self.grid, pixels.shape[1:], strict=True), start=1):
            edges = np.round(np.linspace(0, length, number + 1)).astype(int)
            sums = np.add.reduceat(sums, edges[:-1], axis=axis)
        return sums.reshape(len(pixels), -1)


class Game:
    """The value function over coalitions of regions; each forward pass covers all outputs and both spaces.

    Attributes:
        evaluations: number of planes evaluated so far.
    """

    def __init__(
        self,
        model: Model,
        plane: npt.NDArray[np.generic],
        baseline: npt.NDArray[np.generic],
        regions: Regions,
        *,
        device: torch.device | str = "cpu",
        batch: int | None = None,
        on_evaluations: Callable[[int], None] = lambda evaluations: None,
    ) -> None:
        """Create a game.

        Args:
            plane: the image or volume, in grey levels.
            baseline: replaces hidden regions; same shape.
            on_evaluations: called with the number of evaluations after each batch.
        """
        self.model, self.regions, self.device = model, regions, torch.device(device)
        self.batch = batch or BATCH[plane.ndim]
        self.film = torch.from_numpy(np.array(plane, dtype=np.float32)).to(self.device)
        self.baseline = torch.from_numpy(np.array(baseline, dtype=np.float32)).to(self.device)
        self.evaluations, self._on_evaluations = 0, on_evaluations

    def values(self, coalitions: npt.NDArray[np.generic], regions: Regions | None = None) -> Values:
        """Values (n, spaces, outputs) of coalitions (n, players) of 0 and 1, over ``regions`` or the game's own."""
        rows = torch.from_numpy(np.ascontiguousarray(coalitions, dtype=np.float32)).to(self.device)
        seen = (regions or self.regions).seen
        return self._run(torch.lerp(self.baseline, self.film, seen(part)) for part in rows.split(self.batch))

    def evaluate(self, planes: npt.NDArray[np.generic]) -> Values:
        """Model outputs (n, spaces, outputs) for whole planes."""
        rows = torch.from_numpy(np.array(planes, dtype=np.float32)).to(self.device)
        return self._run(iter(rows.split(self.batch)))

    @cached_property
    def ends(self) -> tuple[Values, Values]:
        """Values of the baseline and the image, (spaces, outputs) each."""
        both = self.values(np.stack([np.zeros(self.regions.count), np.ones(self.regions.count)]))
        return both[0], both[1]

    def _run(self, batches) -> Values:  # type: ignore[no-untyped-def]
        answers = []
        with torch.inference_mode():
            for planes in batches:
                answers.append(self.model(planes).double().cpu().numpy())
                self.evaluations += len(planes)
                self._on_evaluations(self.evaluations)
        return in_both_spaces(np.concatenate(answers))


class GameLike(Protocol):
    """The interface of a game that sampling needs."""

    regions: Regions

    @property
    def evaluations(self) -> int:
        """Number of planes evaluated so far."""

    @property
    def ends(self) -> tuple[Values, Values]:
        """Values of the empty and the grand coalition, (spaces, outputs) each."""

    def values(self, coalitions: npt.NDArray[np.generic]) -> Values:
        """Values (n, spaces, outputs) of coalitions (n, players)."""


def in_both_spaces(probabilities: Values) -> Values:
    """Probabilities (n, outputs) to both spaces (n, spaces, outputs): probability and log-odds."""
    clipped = np.clip(probabilities, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    return np.stack([probabilities, np.log(clipped) - np.log1p(-clipped)], axis=1)

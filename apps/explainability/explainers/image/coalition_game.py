"""A film as a cooperative game: its regions are the players, the model's answer is what they earn.

A coalition is the set of regions that are seen; the others are replaced by a baseline. Shapley values
(Shapley 1953; Lundberg and Lee, NeurIPS 2017) share out what the film earns beyond the baseline.
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
"""Attributions are made in both: probabilities are what the page shows, log-odds do not saturate."""
LEAST = 1e-6
BATCH = {2: 32, 3: 8}
"""Planes of films, and boxes of volumes, that are asked together."""


@dataclass(frozen=True)
class Regions:
    """Equal boxes of a film (2-D) or a volume (3-D).

    Attributes:
        grid: how many along each axis.
        shape: the film's or volume's size in pixels along each axis.
    """

    grid: tuple[int, ...]
    shape: tuple[int, ...]

    @cached_property
    def count(self) -> int:
        """How many players there are."""
        return int(np.prod(self.grid))

    @property
    def smooth(self) -> str:
        """How torch calls linear interpolation along these axes."""
        return "bilinear" if len(self.grid) == 2 else "trilinear"

    def seen(self, coalitions: torch.Tensor) -> torch.Tensor:
        """How much of each pixel is seen, (n, *shape) in 0..1, for (n, count) coalitions.

        The borders are soft (linear between the boxes' centres): hard ones would be edges of their own,
        which a model takes for findings.
        """
        boxes = coalitions.reshape(len(coalitions), 1, *self.grid).to(torch.float32)
        return F.interpolate(boxes, self.shape, mode=self.smooth, align_corners=False)[:, 0]

    def spread(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Attributions of regions, (outputs, count), as attributions of pixels, (outputs, *shape); sums stay."""
        boxes = values.reshape(len(values), *self.grid)
        for axis, (number, length) in enumerate(zip(self.grid, self.shape, strict=True), start=1):
            edges = np.round(np.linspace(0, length, number + 1)).astype(int)
            sizes = np.diff(edges)
            boxes = np.repeat(boxes / sizes.reshape([-1 if a == axis else 1 for a in range(boxes.ndim)]), sizes, axis)
        return boxes.astype(np.float32)

    def gather(self, pixels: npt.NDArray[np.floating]) -> Values:
        """Attributions of pixels, or of a finer grid's regions, summed up by region, (outputs, count)."""
        sums = pixels.astype(np.float64)
        for axis, (number, length) in enumerate(zip(self.grid, pixels.shape[1:], strict=True), start=1):
            edges = np.round(np.linspace(0, length, number + 1)).astype(int)
            sums = np.add.reduceat(sums, edges[:-1], axis=axis)
        return sums.reshape(len(pixels), -1)


class Game:
    """What coalitions of a film's regions earn; every forward pass answers for all outputs and both spaces.

    Attributes:
        evaluations: how many planes the model was asked for.
        seconds: how long the model itself took for them.
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
        asked: Callable[[int], None] = lambda evaluations: None,
    ) -> None:
        """``asked`` is called with the number of evaluations after each batch."""
        self.model, self.regions, self.device = model, regions, torch.device(device)
        self.batch = batch or BATCH[plane.ndim]
        self.film = torch.from_numpy(np.array(plane, dtype=np.float32)).to(self.device)
        self.baseline = torch.from_numpy(np.array(baseline, dtype=np.float32)).to(self.device)
        self.evaluations, self._asked = 0, asked

    def values(self, coalitions: npt.NDArray[np.generic], regions: Regions | None = None) -> Values:
        """(n, spaces, outputs) for (n, players) coalitions of 0 and 1; ``regions`` if others than the game's own."""
        rows = torch.from_numpy(np.ascontiguousarray(coalitions, dtype=np.float32)).to(self.device)
        seen = (regions or self.regions).seen
        return self._ask(torch.lerp(self.baseline, self.film, seen(part)) for part in rows.split(self.batch))

    def ask(self, planes: npt.NDArray[np.generic]) -> Values:
        """(n, spaces, outputs) for whole planes."""
        rows = torch.from_numpy(np.array(planes, dtype=np.float32)).to(self.device)
        return self._ask(iter(rows.split(self.batch)))

    @cached_property
    def ends(self) -> tuple[Values, Values]:
        """What the baseline and the film earn, (spaces, outputs) each."""
        both = self.values(np.stack([np.zeros(self.regions.count), np.ones(self.regions.count)]))
        return both[0], both[1]

    def _ask(self, batches) -> Values:  # type: ignore[no-untyped-def]
        answers = []
        with torch.inference_mode():
            for planes in batches:
                answers.append(self.model(planes).double().cpu().numpy())
                self.evaluations += len(planes)
                self._asked(self.evaluations)
        return in_both_spaces(np.concatenate(answers))


class Earning(Protocol):
    """What sampling needs to know of a game."""

    regions: Regions

    @property
    def evaluations(self) -> int:
        """How many planes the model was asked for."""

    @property
    def ends(self) -> tuple[Values, Values]:
        """What nobody and all earn, (spaces, outputs) each."""

    def values(self, coalitions: npt.NDArray[np.generic]) -> Values:
        """(n, spaces, outputs) for (n, players) coalitions."""


def in_both_spaces(probabilities: Values) -> Values:
    """(n, outputs) probabilities to (n, spaces, outputs): themselves and their log-odds."""
    kept = np.clip(probabilities, LEAST, 1 - LEAST)
    return np.stack([probabilities, np.log(kept) - np.log1p(-kept)], axis=1)

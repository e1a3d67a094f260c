"""Common interface of image explainers: budget, attribution, explainer function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from apps.explainability.explainers.image.coalition_game import Game, Values


@dataclass(frozen=True)
class Budget:
    """Stopping criteria.

    Attributes:
        evaluations: maximum number of model evaluations.
        seconds: maximum duration; the best result so far is returned and marked.
        precision: stop when the half-widths of the 95 % intervals of the strongest regions are below this
            fraction of the strongest attribution.
        strongest: number of regions that must be that precise.
    """

    evaluations: int = 512
    seconds: float = 60.0
    precision: float = 0.2
    strongest: int = 5


@dataclass(frozen=True)
class Attribution:
    """Attributions of all outputs for one image, in both spaces.

    Attributes:
        values: (spaces, outputs, *grid), one value per region, or per pixel for pixel-wise explainers.
        base, output: (spaces, outputs) model outputs for baseline and image.
        evaluations: number of model evaluations.
        half_width: of the values' 95 % intervals, if the explainer estimates them.
        stopped: reason for stopping: ``precise``, ``budget``, ``time``, ``complete``; empty for intermediate results.
    """

    values: npt.NDArray[np.floating]
    base: Values
    output: Values
    evaluations: int
    half_width: npt.NDArray[np.floating] | None = None
    stopped: str = "complete"
    axes: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", tuple(range(2, self.values.ndim)))

    @property
    def sums(self) -> Values:
        """Sums of the attributions, (spaces, outputs)."""
        return np.asarray(self.values.sum(axis=self.axes, dtype=np.float64))

    @property
    def gaps(self) -> Values:
        """Efficiency gap (spaces, outputs): base value plus attributions minus output; 0 if exact."""
        return self.base + self.sums - self.output

    def by_region(self, game: Game) -> Values:
        """Attributions on the game's regions, (spaces, outputs, regions), whatever the explainer's own grid."""
        spaces, outputs = self.values.shape[:2]
        flat = self.values.reshape(spaces * outputs, *self.values.shape[2:])
        if self.values.shape[2:] != game.regions.grid:
            flat = game.regions.gather(flat)
        return flat.reshape(spaces, outputs, -1).astype(np.float64)


Explainer = Callable[[Game, tuple[int, ...], Budget], Iterator[Attribution]]
"""Explains a game for the ``watched`` outputs; yields increasingly precise attributions."""

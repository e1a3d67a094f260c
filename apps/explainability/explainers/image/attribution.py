"""What every explainer of films gives, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from apps.explainability.explainers.image.coalition_game import Game, Values


@dataclass(frozen=True)
class Budget:
    """When to stop.

    Attributes:
        evaluations: at most this many planes.
        seconds: at most this long; what is there by then is returned and marked.
        precision: enough when the 95 % intervals of the strongest regions are narrower than this share
            of the strongest attribution to either side.
        strongest: how many regions must be that precise.
    """

    evaluations: int = 512
    seconds: float = 60.0
    precision: float = 0.2
    strongest: int = 5


@dataclass(frozen=True)
class Attribution:
    """Attributions of all outputs of one film, in both spaces.

    Attributes:
        values: (spaces, outputs, *grid): a number a region, or a pixel where the explainer works on pixels.
        base, output: (spaces, outputs) what baseline and film are answered with.
        evaluations: how many planes the model was asked for.
        half_width: of the values' 95 % intervals where the explainer knows them.
        stopped: why there is no more: ``precise``, ``budget``, ``time``, ``complete``; empty while it goes on.
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
        """(spaces, outputs)."""
        return np.asarray(self.values.sum(axis=self.axes, dtype=np.float64))

    @property
    def gaps(self) -> Values:
        """Base value and attributions less the output, (spaces, outputs): 0 if the accounting is exact."""
        return self.base + self.sums - self.output

    def by_region(self, game: Game) -> Values:
        """(spaces, outputs, regions) of the game, whatever the explainer's own grid."""
        spaces, outputs = self.values.shape[:2]
        flat = self.values.reshape(spaces * outputs, *self.values.shape[2:])
        if self.values.shape[2:] != game.regions.grid:
            flat = game.regions.gather(flat)
        return flat.reshape(spaces, outputs, -1).astype(np.float64)


Explainer = Callable[[Game, tuple[int, ...], Budget], Iterator[Attribution]]
"""Explains a game; ``watched`` are the outputs that matter. Yields better and better attributions."""

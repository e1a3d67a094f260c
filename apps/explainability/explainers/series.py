"""SHAP for stays: what each variable gave in each stretch of hours.

A player is a variable's measurements of a stretch; hidden, they were never taken. What is known of the person is one
more player. So the base value is the risk of somebody of whom nothing is known, and the answer to "why" is exact in
its own question: compared with not having measured it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
import numpy.typing as npt

from apps.explainability.explainers import sampled
from apps.explainability.explainers.attribution import Budget
from apps.explainability.explainers.game import Game, Regions, Values, in_both_spaces
from apps.inference.runtimes.stays import Grid

STRETCH = 6
"""Hours."""
SEED = 23


@dataclass(frozen=True)
class SeriesExplanation:
    """Attributions of one stay's risk after ``hour``, in probability.

    Attributes:
        rows: places of the variables that were measured at all, in the grid's order.
        values, half_width: (variables, stretches) and of what is known of the person, (1, stretches) as the last row.
        base, output: the risk of somebody of whom nothing is known, and of this stay.
    """

    hour: int
    rows: list[int]
    values: npt.NDArray[np.float64]
    half_width: npt.NDArray[np.float64]
    base: float
    output: float
    evaluations: int
    stopped: str

    @property
    def gap(self) -> float:
        """Base value and attributions less the output."""
        return float(self.base + self.values.sum() - self.output)


class _SeriesGame:
    """Coalitions of a stay's measurements; what :func:`sampled.sample` asks of a game."""

    def __init__(self, risk: Callable[[Grid], Values], grid: Grid, hour: int, rows: list[int]) -> None:
        self.risk, self.grid, self.rows = risk, grid, rows
        self.stretches = -(-hour // STRETCH)
        shape = (len(rows) + 1, self.stretches)
        self.regions = Regions(shape, shape)
        self.evaluations = 0

    def values(self, coalitions: npt.NDArray[np.generic]) -> Values:
        """(n, spaces, 1) for (n, players) coalitions."""
        seen = np.asarray(coalitions, dtype=bool).reshape(len(coalitions), *self.regions.grid)
        hours, width = self.grid.mean.shape[1:]
        hidden = np.zeros((len(seen), hours, width), dtype=bool)
        by_hour = np.repeat(~seen[:, :-1], STRETCH, axis=2)[:, :, :hours]
        hidden[:, : by_hour.shape[2], self.rows] = by_hour.transpose(0, 2, 1)
        person = ~seen[:, -1, :1] & np.ones((1, self.grid.static.shape[1]), dtype=bool)
        self.evaluations += len(seen)
        return in_both_spaces(self.risk(self.grid.without(hidden, person))[:, None])

    @cached_property
    def ends(self) -> tuple[Values, Values]:
        """(spaces, 1) each."""
        both = self.values(np.stack([np.zeros(self.regions.count), np.ones(self.regions.count)]))
        return both[0], both[1]


def explain(
    risk: Callable[[Grid], Values], grid: Grid, hour: int, *, budget: Budget | None = None
) -> SeriesExplanation:
    """Explain one stay.

    Args:
        risk: stays to (n,) risks after ``hour``.
        grid: of one stay; what was measured after ``hour`` must be absent.
    """
    rows = [int(place) for place in np.flatnonzero(np.isfinite(grid.mean[0, :hour]).any(axis=0))]
    game = _SeriesGame(risk, grid, hour, rows)
    # The person stands in the row's first stretch; its others are nobody, and sampling finds that they give nothing.
    limit = budget or Budget(evaluations=512, seconds=20, precision=0.25)
    rng = np.random.default_rng(SEED)
    *_, last = sampled.sample(cast(Game, game), prior=None, watched=(0,), budget=limit, rng=rng)
    half = np.zeros_like(last.values) if last.half_width is None else last.half_width
    return SeriesExplanation(
        hour, rows, last.values[0, 0].astype(float), half[0, 0].astype(float), float(last.base[0, 0]),
        float(last.output[0, 0]), last.evaluations, last.stopped,
    )  # fmt: skip

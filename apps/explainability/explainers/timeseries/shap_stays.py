"""SHAP for ICU stays: attribution of each variable in each interval of hours.

A player is a variable's measurements in an interval; hidden, they count as not taken. The static features together are
one more player. The base value is thus the risk without any data, and attributions are relative to not having measured.

Players join in random orders that keep a variable's intervals together (Owen values; Owen 1977), each order paired with
its reverse (Mitchell, Cooper, Frank and Holmes, JMLR 23, 2022). Efficiency is exact for any number of orders.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from apps.explainability.explainers.image.attribution import Budget
from apps.inference.engines.icu_timeseries.features import Grid

STRETCH = 6
"""Length of an interval in hours."""
SEED = 23
MIN_PAIRS = 3
"""Minimum number of pairs of orders before their spread is used to stop."""
BLOCK = 256
"""Coalitions per batch."""
Values = npt.NDArray[np.float64]
Player = tuple[int, int]
"""(variable, interval); the static features are (PERSON, 0)."""
PERSON = -1


@dataclass(frozen=True)
class SeriesExplanation:
    """Attributions of one stay's risk after ``hour``, in probability.

    Attributes:
        rows: indices of the measured variables, in the grid's order.
        values: (variables, intervals).
        half_width: (variables,) half-widths of the 95 % intervals of the variables' sums.
        person: attribution of the static features.
        base, output: the risk without any data, and of this stay.
        stopped: ``precise``, ``budget`` or ``time``.
    """

    hour: int
    rows: list[int]
    values: Values
    half_width: Values
    person: float
    base: float
    output: float
    evaluations: int
    stopped: str

    @property
    def gap(self) -> float:
        """Efficiency gap: base value plus attributions minus output."""
        return float(self.base + self.values.sum() + self.person - self.output)


def explain(
    risk: Callable[[Grid], Values],
    grid: Grid,
    hour: int,
    *,
    budget: Budget | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> SeriesExplanation:
    """Explain one stay.

    Args:
        risk: maps stays to risks (n,) after ``hour``.
        grid: one stay.
    """
    budget = budget or Budget(evaluations=3000, seconds=8.0, precision=0.2)
    started = clock()
    rng = np.random.default_rng(SEED)
    groups = _players(grid, hour)
    players = [player for group in groups for player in group]
    index = {player: number for number, player in enumerate(players)}
    draws: list[Values] = []
    evaluations = 0
    while True:
        order = _order(groups, rng)
        pair = []
        for way in (order, order[::-1]):
            values = _path_values(risk, grid, hour, players, [index[player] for player in way])
            evaluations += len(values)
            gains = np.zeros(len(players))
            gains[[index[player] for player in way]] = np.diff(values)
            pair.append(gains)
            base, output = float(values[0]), float(values[-1])
        draws.append(np.mean(pair, axis=0))
        stopped = _enough(np.array(draws), players, budget) or _spent(evaluations, players, budget, clock() - started)
        if stopped:
            break
    return _explanation(np.array(draws), players, hour, base, output, evaluations, stopped)


def _players(grid: Grid, hour: int) -> list[list[Player]]:
    """Players by group: the static features, then each variable with the intervals in which it was measured."""
    seen = np.isfinite(grid.mean[0, :hour])
    groups: list[list[Player]] = [[(PERSON, 0)]]
    for variable in np.flatnonzero(seen.any(axis=0)):
        stretches = sorted({int(at) // STRETCH for at in np.flatnonzero(seen[:, variable])})
        groups.append([(int(variable), stretch) for stretch in stretches])
    return groups


def _order(groups: list[list[Player]], rng: np.random.Generator) -> list[Player]:
    shuffled = [groups[number] for number in rng.permutation(len(groups))]
    return [group[number] for group in shuffled for number in rng.permutation(len(group))]


def _path_values(
    risk: Callable[[Grid], Values], grid: Grid, hour: int, players: list[Player], order: list[int]
) -> Values:
    """Risks (players + 1,) as the players join one after another."""
    joined = np.zeros((len(players) + 1, len(players)), dtype=bool)
    for step, player in enumerate(order, start=1):
        joined[step:, player] = True
    parts = [risk(_shown(grid, joined[start : start + BLOCK], players)) for start in range(0, len(joined), BLOCK)]
    return np.concatenate(parts)


def _shown(grid: Grid, coalitions: npt.NDArray[np.bool_], players: list[Player]) -> Grid:
    """The stay once per coalition, with only the coalition's measurements visible."""
    hours, width = grid.mean.shape[1:]
    hidden = np.ones((len(coalitions), hours, width), dtype=bool)
    person = np.ones((len(coalitions), 1), dtype=bool)
    for number, (variable, stretch) in enumerate(players):
        visible = coalitions[:, number]
        if variable == PERSON:
            person[:, 0] = ~visible
        else:
            hidden[visible, stretch * STRETCH : (stretch + 1) * STRETCH, variable] = False
    return grid.without(hidden, np.repeat(person, grid.static.shape[1], axis=1))


def _by_variable(draws: Values, players: list[Player]) -> Values:
    """Sums (draws, variables) over intervals; the static features count as a variable."""
    owners = [variable for variable, _stretch in players]
    names = sorted(set(owners))
    return np.stack([draws[:, [owner == name for owner in owners]].sum(axis=1) for name in names], axis=1)


def _half(draws: Values) -> Values:
    return (
        np.asarray(1.96 * draws.std(axis=0, ddof=1) / np.sqrt(len(draws)))
        if len(draws) > 1
        else np.zeros(draws.shape[1])
    )


def _enough(draws: Values, players: list[Player], budget: Budget) -> str:
    if len(draws) < MIN_PAIRS:
        return ""
    sums = _by_variable(draws, players)
    means, half = np.abs(sums.mean(axis=0)), _half(sums)
    strongest = means.argsort()[-budget.strongest :]
    return "precise" if (half[strongest] <= budget.precision * max(float(means.max()), 1e-4)).all() else ""


def _spent(evaluations: int, players: list[Player], budget: Budget, seconds: float) -> str:
    if evaluations + 2 * (len(players) + 1) > budget.evaluations:
        return "budget"
    return "time" if seconds >= budget.seconds else ""


def _explanation(
    draws: Values, players: list[Player], hour: int, base: float, output: float, evaluations: int, stopped: str
) -> SeriesExplanation:
    means = draws.mean(axis=0)
    rows = sorted({variable for variable, _stretch in players if variable != PERSON})
    values = np.zeros((len(rows), -(-hour // STRETCH)))
    person = 0.0
    for (variable, stretch), value in zip(players, means, strict=True):
        if variable == PERSON:
            person = float(value)
        else:
            values[rows.index(variable), stretch] = value
    half = _half(_by_variable(draws, players))[1:]  # the static features come first
    return SeriesExplanation(hour, rows, values, half, person, base, output, evaluations, stopped)

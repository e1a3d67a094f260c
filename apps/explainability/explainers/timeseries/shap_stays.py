"""SHAP for stays: what each variable gave in each stretch of hours.

A player is a variable's measurements of a stretch; hidden, they were never taken. What is known of the person is one
more player. So the base value is the risk of somebody of whom nothing is known, and "why" is answered compared with
not having measured it.

Players join in random orders in which a variable's stretches stay together (Owen values; Owen 1977), each order beside
its reverse (Mitchell, Cooper, Frank and Holmes, JMLR 23, 2022). Whatever the number of orders, the sum is exact.
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
"""Hours."""
SEED = 23
FEWEST = 3
"""Pairs of orders before the spread among them tells anything."""
BLOCK = 256
"""Coalitions that are asked together."""
Values = npt.NDArray[np.float64]
Player = tuple[int, int]
"""Variable and stretch; the person is (PERSON, 0)."""
PERSON = -1


@dataclass(frozen=True)
class SeriesExplanation:
    """Attributions of one stay's risk after ``hour``, in probability.

    Attributes:
        rows: places of the variables that were measured at all, in the grid's order.
        values: (variables, stretches).
        half_width: (variables,) of the 95 % intervals of the variables' sums.
        person: what is known of the person.
        base, output: the risk of somebody of whom nothing is known, and of this stay.
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
        """Base value and attributions less the output."""
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
        risk: stays to (n,) risks after ``hour``.
        grid: of one stay.
    """
    budget = budget or Budget(evaluations=3000, seconds=8.0, precision=0.2)
    started = clock()
    rng = np.random.default_rng(SEED)
    groups = _players(grid, hour)
    players = [player for group in groups for player in group]
    place = {player: number for number, player in enumerate(players)}
    draws: list[Values] = []
    evaluations = 0
    while True:
        order = _order(groups, rng)
        pair = []
        for way in (order, order[::-1]):
            earned = _earned(risk, grid, hour, players, [place[player] for player in way])
            evaluations += len(earned)
            gains = np.zeros(len(players))
            gains[[place[player] for player in way]] = np.diff(earned)
            pair.append(gains)
            base, output = float(earned[0]), float(earned[-1])
        draws.append(np.mean(pair, axis=0))
        stopped = _enough(np.array(draws), players, budget) or _spent(evaluations, players, budget, clock() - started)
        if stopped:
            break
    return _made(np.array(draws), players, hour, base, output, evaluations, stopped)


def _players(grid: Grid, hour: int) -> list[list[Player]]:
    """The person, then each variable with the stretches in which it was measured."""
    seen = np.isfinite(grid.mean[0, :hour])
    groups: list[list[Player]] = [[(PERSON, 0)]]
    for variable in np.flatnonzero(seen.any(axis=0)):
        stretches = sorted({int(at) // STRETCH for at in np.flatnonzero(seen[:, variable])})
        groups.append([(int(variable), stretch) for stretch in stretches])
    return groups


def _order(groups: list[list[Player]], rng: np.random.Generator) -> list[Player]:
    shuffled = [groups[number] for number in rng.permutation(len(groups))]
    return [group[number] for group in shuffled for number in rng.permutation(len(group))]


def _earned(risk: Callable[[Grid], Values], grid: Grid, hour: int, players: list[Player], order: list[int]) -> Values:
    """(players + 1,) the risk while they join one after the other."""
    joined = np.zeros((len(players) + 1, len(players)), dtype=bool)
    for step, player in enumerate(order, start=1):
        joined[step:, player] = True
    parts = [risk(_shown(grid, joined[start : start + BLOCK], players)) for start in range(0, len(joined), BLOCK)]
    return np.concatenate(parts)


def _shown(grid: Grid, coalitions: npt.NDArray[np.bool_], players: list[Player]) -> Grid:
    """The stay as often as there are coalitions, with what their players measured."""
    hours, width = grid.mean.shape[1:]
    hidden = np.ones((len(coalitions), hours, width), dtype=bool)
    person = np.ones((len(coalitions), 1), dtype=bool)
    for number, (variable, stretch) in enumerate(players):
        there = coalitions[:, number]
        if variable == PERSON:
            person[:, 0] = ~there
        else:
            hidden[there, stretch * STRETCH : (stretch + 1) * STRETCH, variable] = False
    return grid.without(hidden, np.repeat(person, grid.static.shape[1], axis=1))


def _by_variable(draws: Values, players: list[Player]) -> Values:
    """(draws, variables) sums over stretches; the person is a variable here."""
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
    if len(draws) < FEWEST:
        return ""
    sums = _by_variable(draws, players)
    means, half = np.abs(sums.mean(axis=0)), _half(sums)
    strongest = means.argsort()[-budget.strongest :]
    return "precise" if (half[strongest] <= budget.precision * max(float(means.max()), 1e-4)).all() else ""


def _spent(evaluations: int, players: list[Player], budget: Budget, seconds: float) -> str:
    if evaluations + 2 * (len(players) + 1) > budget.evaluations:
        return "budget"
    return "time" if seconds >= budget.seconds else ""


def _made(
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
    half = _half(_by_variable(draws, players))[1:]  # the person comes first
    return SeriesExplanation(hour, rows, values, half, person, base, output, evaluations, stopped)

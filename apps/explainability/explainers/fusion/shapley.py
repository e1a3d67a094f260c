"""Exact Shapley values of a few players (Shapley 1953), for example the sources of a fused risk.

With few players all coalitions are evaluated; nothing is sampled.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np
import numpy.typing as npt

MAX_PLAYERS = 12
ValueFunction = Callable[[npt.NDArray[np.bool_]], npt.NDArray[np.float64]]


def shapley(value_function: ValueFunction, players: int) -> tuple[npt.NDArray[np.float64], float, float]:
    """Compute exact Shapley values.

    Args:
        value_function: coalitions (n, players) to their values (n,).
        players: number of players, at most MAX_PLAYERS.

    Returns:
        Shapley values (players,), the value of the empty and of the grand coalition.

    Raises:
        ValueError: for too many players.
    """
    if not 1 <= players <= MAX_PLAYERS:
        raise ValueError(f"exact values are for 1 to {MAX_PLAYERS} players, not {players}")
    numbers = np.arange(2**players)
    coalitions = (numbers[:, None] >> np.arange(players)) & 1 == 1
    answers = value_function(coalitions)
    sizes = coalitions.sum(axis=1)
    values = np.zeros(players)
    for player in range(players):
        without = numbers[~coalitions[:, player]]
        weights = np.array([1 / (players * comb(players - 1, int(size))) for size in sizes[without]])
        values[player] = (weights * (answers[without | 1 << player] - answers[without])).sum()
    return values, float(answers[0]), float(answers[-1])

"""Exact Shapley values of a few parts: how much each source gave (image, text, laboratory …).

A handful of parts has few coalitions, so nothing is sampled: every one is asked for (Shapley 1953).
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np
import numpy.typing as npt

MOST = 12
Earnings = Callable[[npt.NDArray[np.bool_]], npt.NDArray[np.float64]]


def shapley(earnings: Earnings, parts: int) -> tuple[npt.NDArray[np.float64], float, float]:
    """Share out what all parts earn together.

    Args:
        earnings: (coalitions, parts) of who takes part to (coalitions,) answers.
        parts: how many, at most MOST.

    Returns:
        (parts,) values, the answer of nobody, the answer of all.

    Raises:
        ValueError: for too many parts.
    """
    if not 1 <= parts <= MOST:
        raise ValueError(f"exact values are for 1 to {MOST} parts, not {parts}")
    numbers = np.arange(2**parts)
    coalitions = (numbers[:, None] >> np.arange(parts)) & 1 == 1
    answers = earnings(coalitions)
    sizes = coalitions.sum(axis=1)
    values = np.zeros(parts)
    for part in range(parts):
        without = numbers[~coalitions[:, part]]
        weights = np.array([1 / (parts * comb(parts - 1, int(size))) for size in sizes[without]])
        values[part] = (weights * (answers[without | 1 << part] - answers[without])).sum()
    return values, float(answers[0]), float(answers[-1])

"""Ranking metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """A mean with its 95 % bootstrap interval over people."""

    value: float
    low: float
    high: float


def ndcg(order: Sequence[str], wanted: set[str], *, depth: int = 10) -> float:
    """Normalised discounted cumulative gain at ``depth`` (Järvelin and Kekäläinen, TOIS 2002); NaN if none wanted."""
    gains = [1 / np.log2(rank + 2) for rank, code in enumerate(order[:depth]) if code in wanted]
    best = sum(1 / np.log2(rank + 2) for rank in range(min(depth, len(wanted))))
    return float(sum(gains) / best) if best else float("nan")


def recall(order: Sequence[str], wanted: set[str], *, depth: int = 10) -> float:
    """Recall at ``depth``; NaN if none is relevant."""
    return len(wanted.intersection(order[:depth])) / len(wanted) if wanted else float("nan")


def mean_with_interval(values: Values, *, rounds: int = 1000, seed: int = 7) -> Figure:
    """Mean and 95 % bootstrap interval over people; NaN values are left out."""
    known = values[~np.isnan(values)]
    if not len(known):
        return Figure(float("nan"), float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    means = known[rng.integers(0, len(known), (rounds, len(known)))].mean(axis=1) if len(known) <= 20_000 else None
    if means is None:
        means = np.array([known[rng.integers(0, len(known), len(known))].mean() for _ in range(rounds)])
    low, high = np.percentile(means, [2.5, 97.5])
    return Figure(float(known.mean()), float(low), float(high))


def by_group(values: Values, groups: Sequence[str], figure: Callable[[Values], Figure]) -> dict[str, Figure]:
    """The figure for each group of people, for the fairness table."""
    names = np.array(groups)
    return {name: figure(values[names == name]) for name in sorted(set(groups))}

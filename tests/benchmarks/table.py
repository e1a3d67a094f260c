"""A line of the table."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What was measured; ``ratio`` compares with the peer or the limit."""

    what: str
    figure: str
    against: str = ""
    ratio: float | None = None

    def line(self) -> str:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return f"| {self.what} | {self.figure} | {self.against} | {ratio} |"


def median_seconds(call: Callable[[], object], *, runs: int = 9, warmup: int = 2) -> float:
    """Median wall seconds of a call."""
    seconds = []
    for run in range(warmup + runs):
        started = time.perf_counter()
        call()
        if run >= warmup:
            seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def paired_medians(ours: Callable[[], object], peer: Callable[[], object], *, runs: int = 15) -> tuple[float, float]:
    """Median wall seconds of two calls made in turn, so that a drift of the machine meets both."""
    pairs = [(median_seconds(ours, runs=1, warmup=1), median_seconds(peer, runs=1, warmup=1)) for _ in range(runs)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)

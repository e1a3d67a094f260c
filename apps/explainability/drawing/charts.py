"""Geometry of charts: from numbers to shapes in percent, which templates draw as SVG beside a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WIDTH = 100.0


@dataclass(frozen=True)
class Bar:
    """A bar of a waterfall or force plot.

    Attributes:
        words: label.
        value: in the chart's unit.
        start, length: in percent of the chart's width.
        total: whether it is a total rather than a step.
    """

    words: str
    value: float
    start: float
    length: float
    total: bool = False

    @property
    def css(self) -> str:
        """CSS class of the bar's colour."""
        return "chart-total" if self.total else "chart-for" if self.value > 0 else "chart-against"

    @property
    def end(self) -> float:
        """Start of the next step, in percent."""
        return self.start + (self.length if self.value > 0 else 0.0)


def waterfall(base: float, steps: Sequence[tuple[str, float]], names: tuple[str, str]) -> list[Bar]:
    """Waterfall plot from the base value to the output.

    Args:
        steps: labels and values, strongest first.
        names: labels of the first and last bar.
    """
    edges = np.cumsum([base, *(value for _, value in steps)])
    low, high = min(0.0, float(edges.min())), float(max(edges.max(), 1e-9))
    scale = WIDTH / max(high - low, 1e-9)

    def bar(words: str, value: float, at: float, total: bool = False) -> Bar:
        start, end = sorted(((at - low) * scale, (at + value - low) * scale))
        return Bar(words, value, round(start, 2), round(max(end - start, 0.3), 2), total)

    bars = [bar(words, value, at) for (words, value), at in zip(steps, edges[:-1], strict=True)]
    return [bar(names[0], base, 0.0, True), *bars, bar(names[1], float(edges[-1]), 0.0, True)]


def force(base: float, steps: Sequence[tuple[str, float]]) -> list[Bar]:
    """Force plot: raising and lowering steps on one line, meeting at the output (Lundberg et al. 2018)."""
    raising = sorted((step for step in steps if step[1] > 0), key=lambda step: step[1])
    lowering = sorted((step for step in steps if step[1] < 0), key=lambda step: step[1])
    span = max(sum(abs(value) for _, value in steps), 1e-9)
    bars, at = [], 0.0
    for words, value in [*raising, *lowering]:
        length = WIDTH * abs(value) / span
        bars.append(Bar(words, value, round(at, 2), round(length, 2)))
        at += length
    return bars


def line(values: Sequence[float], *, height: float = 60.0, low: float = 0.0, high: float = 1.0) -> str:
    """SVG points of a polyline over the chart's width, larger values higher."""
    step = WIDTH / max(len(values) - 1, 1)
    span = max(high - low, 1e-9)
    return " ".join(
        f"{number * step:.2f},{height - height * (value - low) / span:.2f}" for number, value in enumerate(values)
    )


@dataclass(frozen=True)
class Dot:
    """A point of a beeswarm or scatter plot, in percent; ``shade`` 0..4 from low to high feature value."""

    x: float
    y: float
    shade: int = 0

    @property
    def left(self) -> float:
        """Coordinate in a 200 × 30 box."""
        return round(2 * self.x, 2)

    @property
    def top(self) -> float:
        """Coordinate in a 200 × 30 box."""
        return round(0.3 * self.y, 2)

    @property
    def high(self) -> float:
        """Vertical coordinate in a 100 × 60 box."""
        return round(0.6 * self.y, 2)


def beeswarm(values: Sequence[float], shades: Sequence[float], *, reach: float, rows: int = 7) -> list[Dot]:
    """Beeswarm plot: a feature's attributions over a cohort, stacked where they overlap.

    Args:
        shades: feature values, which colour the points.
        reach: attribution at the chart's ends.
    """
    ranks = np.argsort(np.argsort(shades)) / max(len(shades) - 1, 1)
    stacked: dict[int, int] = {}
    dots = []
    for value, rank in sorted(zip(values, ranks, strict=True), key=lambda pair: abs(pair[0])):
        x = 50 + 50 * float(np.clip(value / max(reach, 1e-9), -1, 1))
        slot = round(x / 1.5)
        number = stacked.get(slot, 0)
        stacked[slot] = number + 1
        level = (number + 1) // 2 * (1 if number % 2 else -1)
        y = 50 + level * 100 / (2 * rows)
        dots.append(Dot(round(x, 2), round(float(np.clip(y, 4, 96)), 2), min(4, int(rank * 5))))
    return dots


def scatter(xs: Sequence[float], ys: Sequence[float], shades: Sequence[float]) -> list[Dot]:
    """Dependence plot: a feature's values against its attributions."""
    ranks = np.argsort(np.argsort(shades)) / max(len(shades) - 1, 1)
    across, up = _unit(xs), _unit(ys)
    return [
        Dot(round(3 + 94 * x, 2), round(97 - 94 * y, 2), min(4, int(rank * 5)))
        for x, y, rank in zip(across, up, ranks, strict=True)
    ]


def _unit(values: Sequence[float]) -> list[float]:
    numbers = np.asarray(values, dtype=float)
    span = float(np.ptp(numbers)) or 1.0
    return [float(value) for value in (numbers - numbers.min()) / span]


@dataclass(frozen=True)
class Decision:
    """Decision plot: paths from the base value (bottom) to the output (top), of the row and of others."""

    own: str
    others: list[str]
    low: float
    high: float


def decision(base: float, values: Sequence[float], others: Sequence[Sequence[float]]) -> Decision:
    """Decision plot (Lundberg): one line per row, one step per feature, weakest at the bottom.

    Args:
        values: attributions, strongest first.
        others: attributions of other rows, in the same order.
    """
    paths = [np.cumsum([base, *reversed(row)]) for row in (values, *others)]
    low, high = float(min(path.min() for path in paths)), float(max(path.max() for path in paths))
    span = max(high - low, 1e-9)

    def points(path: npt.NDArray[np.float64]) -> str:
        step = WIDTH / max(len(path) - 1, 1)
        return " ".join(f"{100 * (x - low) / span:.2f},{WIDTH - number * step:.2f}" for number, x in enumerate(path))

    return Decision(points(paths[0]), [points(path) for path in paths[1:]], low, high)


def highlight(value: float, strongest: float) -> str:
    """CSS class of a word's highlight: three shades per sign, none below a tenth of the strongest."""
    share = abs(value) / max(strongest, 1e-12)
    if share < 0.1:
        return ""
    shade = 3 if share > 0.66 else 2 if share > 0.33 else 1
    return f"mark-{'for' if value > 0 else 'against'}-{shade}"

"""An explanation of one output as it is kept: arrays, sums, and what falls to which part of the chest."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.explainability.explainers.anatomy import ZONES, by_zone, zones
from apps.explainability.explainers.attribution import Attribution
from apps.explainability.explainers.baselines import EDGE, References
from apps.explainability.explainers.game import Regions


@dataclass(frozen=True)
class Account:
    """One output's share of an attribution.

    Attributes:
        values: (spaces, rows, columns) float32, a number a region or pixel.
        half_width: of the values' 95 % intervals, or None.
        base, output, total: (spaces,) what baseline and film are answered with, and the attributions' sum.
        places: by zone, strongest first: ``{"zone", "value", "log_odds"}``; empty without references.
    """

    values: npt.NDArray[np.float32]
    half_width: npt.NDArray[np.float32] | None
    base: tuple[float, ...]
    output: tuple[float, ...]
    total: tuple[float, ...]
    evaluations: int
    stopped: str
    places: list[dict[str, Any]] = field(default_factory=list)

    def packed(self) -> bytes:
        """The arrays as an NPZ file."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {"values": self.values} | (
            {} if self.half_width is None else {"half_width": self.half_width}
        )
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()


def accounts(found: Attribution, plane: npt.NDArray[np.generic], references: References | None) -> list[Account]:
    """One for each output."""
    where = None if references is None else zones(references.thumbnails[references.of(plane)])
    sums = found.sums
    return [
        Account(
            values=found.values[:, output].astype(np.float32),
            half_width=None if found.half_width is None else found.half_width[:, output].astype(np.float32),
            base=tuple(found.base[:, output].tolist()),
            output=tuple(found.output[:, output].tolist()),
            total=tuple(sums[:, output].tolist()),
            evaluations=found.evaluations,
            stopped=found.stopped,
            places=[] if where is None else _places(found.values[:, output], where, plane.shape),
        )
        for output in range(found.values.shape[1])
    ]


def _places(
    values: npt.NDArray[np.floating], where: npt.NDArray[np.int64], shape: tuple[int, ...]
) -> list[dict[str, Any]]:
    pixels = values if values.shape[1:] == shape else Regions(values.shape[1:], shape).spread(values)
    sums = by_zone(Regions((EDGE, EDGE), shape).gather(pixels), where)
    order = np.argsort(-np.abs(sums[0]))
    return [
        {"zone": ZONES[place], "value": round(float(sums[0, place]), 6), "log_odds": round(float(sums[1, place]), 6)}
        for place in order
        if (where == place).any()
    ]

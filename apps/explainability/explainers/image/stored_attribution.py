"""An explanation of one output as it is kept: arrays, sums, and what falls to which part of the chest."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.explainability.explainers.image.anatomy import ZONES, by_zone
from apps.explainability.explainers.image.attribution import Attribution
from apps.explainability.explainers.image.coalition_game import Regions
from apps.explainability.explainers.image.explainable import Explainable
from apps.explainability.explainers.image.limits import certain


@dataclass(frozen=True)
class StoredAttribution:
    """One output's share of an attribution.

    Attributes:
        values: (spaces, *grid) float32, a number a region or pixel.
        half_width: of the values' 95 % intervals, or None.
        base, output, total: (spaces,) what baseline and film are answered with, and the attributions' sum.
        places: by zone, strongest first: ``{"zone", "value", "log_odds"}``; empty where no zones are known.
        peak: where the strongest evidence for the output lies, as shares 0..1 of the plane's lengths.
        plane: what the model read, uint8; kept of volumes, whose slices would take seconds to read again.
    """

    values: npt.NDArray[np.float32]
    half_width: npt.NDArray[np.float32] | None
    base: tuple[float, ...]
    output: tuple[float, ...]
    total: tuple[float, ...]
    evaluations: int
    stopped: str
    places: list[dict[str, Any]] = field(default_factory=list)
    peak: tuple[float, ...] = ()
    plane: npt.NDArray[np.uint8] | None = None

    def packed(self) -> bytes:
        """The arrays as an NPZ file."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {"values": self.values} | (
            {} if self.half_width is None else {"half_width": self.half_width}
        )
        arrays |= {} if self.plane is None else {"plane": self.plane}
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()


def accounts(found: Attribution, plane: npt.NDArray[np.generic], film: Explainable) -> list[StoredAttribution]:
    """One for each output."""
    where = film.zones(plane)
    sums = found.sums
    return [
        StoredAttribution(
            values=found.values[:, output].astype(np.float32),
            half_width=None if found.half_width is None else found.half_width[:, output].astype(np.float32),
            base=tuple(found.base[:, output].tolist()),
            output=tuple(found.output[:, output].tolist()),
            total=tuple(sums[:, output].tolist()),
            evaluations=found.evaluations,
            stopped=found.stopped,
            places=[] if where is None else _places(_told(found, output, plane), where, plane.shape),
            peak=_peak(found.values[0, output], film.regions),
            plane=None if plane.ndim == 2 else np.asarray(plane, dtype=np.uint8),
        )
        for output in range(found.values.shape[1])
    ]


def _told(found: Attribution, output: int, plane: npt.NDArray[np.generic]) -> npt.NDArray[np.floating]:
    """What is summed up by zone: of a volume what is drawn of it."""
    widths = None if plane.ndim == 2 or found.half_width is None else found.half_width[:, output]
    return certain(found.values[:, output], widths)


def _peak(values: npt.NDArray[np.floating], regions: Regions) -> tuple[float, ...]:
    """The middle of the region, or of the cell of a finer grid, with the most evidence; single pixels are too rough."""
    coarse = regions.gather(values[None]).reshape(regions.grid) if values.shape == regions.shape else values
    place = np.unravel_index(int(coarse.argmax()), coarse.shape)
    return tuple(round((int(one) + 0.5) / number, 4) for one, number in zip(place, coarse.shape, strict=True))


def _places(
    values: npt.NDArray[np.floating], where: npt.NDArray[np.int64], shape: tuple[int, ...]
) -> list[dict[str, Any]]:
    pixels = values if values.shape[1:] == shape else Regions(values.shape[1:], shape).spread(values)
    tiles = pixels.reshape(len(pixels), -1) if where.shape == shape else Regions(where.shape, shape).gather(pixels)
    sums = by_zone(tiles, where)
    order = np.argsort(-np.abs(sums[0]))
    return [
        {"zone": ZONES[place], "value": round(float(sums[0, place]), 6), "log_odds": round(float(sums[1, place]), 6)}
        for place in order
        if (where == place).any()
    ]

"""The stored form of one output's explanation: arrays, sums, attribution by anatomical zone."""

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
    """One output's part of an attribution.

    Attributes:
        values: (spaces, *grid) float32, one value per region or pixel.
        half_width: of the values' 95 % intervals, or None.
        base, output, total: (spaces,) outputs for baseline and image, and the sum of the attributions.
        zones: by zone, strongest first: ``{"zone", "value", "log_odds"}``; empty if the zones are unknown.
        peak: position of the strongest supporting evidence, as shares 0..1 of the plane's lengths.
        plane: the model's input, uint8; only stored for volumes, whose slices take seconds to read again.
    """

    values: npt.NDArray[np.float32]
    half_width: npt.NDArray[np.float32] | None
    base: tuple[float, ...]
    output: tuple[float, ...]
    total: tuple[float, ...]
    evaluations: int
    stopped: str
    zones: list[dict[str, Any]] = field(default_factory=list)
    peak: tuple[float, ...] = ()
    plane: npt.NDArray[np.uint8] | None = None

    def packed(self) -> bytes:
        """Serialise the arrays as NPZ."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {"values": self.values} | (
            {} if self.half_width is None else {"half_width": self.half_width}
        )
        arrays |= {} if self.plane is None else {"plane": self.plane}
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()


def stored_attributions(
    attribution: Attribution, plane: npt.NDArray[np.generic], film: Explainable
) -> list[StoredAttribution]:
    """Split an attribution into its stored form, one per output."""
    where = film.zones(plane)
    sums = attribution.sums
    return [
        StoredAttribution(
            values=attribution.values[:, output].astype(np.float32),
            half_width=None if attribution.half_width is None else attribution.half_width[:, output].astype(np.float32),
            base=tuple(attribution.base[:, output].tolist()),
            output=tuple(attribution.output[:, output].tolist()),
            total=tuple(sums[:, output].tolist()),
            evaluations=attribution.evaluations,
            stopped=attribution.stopped,
            zones=[] if where is None else _by_zone(_displayed(attribution, output, plane), where, plane.shape),
            peak=_peak(attribution.values[0, output], film.regions),
            plane=None if plane.ndim == 2 else np.asarray(plane, dtype=np.uint8),
        )
        for output in range(attribution.values.shape[1])
    ]


def _displayed(attribution: Attribution, output: int, plane: npt.NDArray[np.generic]) -> npt.NDArray[np.floating]:
    """The attributions summed by zone: for volumes only those that are displayed."""
    widths = None if plane.ndim == 2 or attribution.half_width is None else attribution.half_width[:, output]
    return certain(attribution.values[:, output], widths)


def _peak(values: npt.NDArray[np.floating], regions: Regions) -> tuple[float, ...]:
    """Centre of the region (or finer cell) with the most supporting evidence; single pixels are too noisy."""
    coarse = regions.gather(values[None]).reshape(regions.grid) if values.shape == regions.shape else values
    peak = np.unravel_index(int(coarse.argmax()), coarse.shape)
    return tuple(round((int(index) + 0.5) / number, 4) for index, number in zip(peak, coarse.shape, strict=True))


def _by_zone(
    values: npt.NDArray[np.floating], where: npt.NDArray[np.int64], shape: tuple[int, ...]
) -> list[dict[str, Any]]:
    pixels = values if values.shape[1:] == shape else Regions(values.shape[1:], shape).spread(values)
    tiles = pixels.reshape(len(pixels), -1) if where.shape == shape else Regions(where.shape, shape).gather(pixels)
    sums = by_zone(tiles, where)
    order = np.argsort(-np.abs(sums[0]))
    return [
        {"zone": ZONES[zone], "value": round(float(sums[0, zone]), 6), "log_odds": round(float(sums[1, zone]), 6)}
        for zone in order
        if (where == zone).any()
    ]

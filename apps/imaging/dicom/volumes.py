"""From the headers of a series' slices to a volume: which slice lies where (PS3.3 section C.7.6.2.1).

Instance numbers are no order in space, and a slice that is missing makes a wrong volume without a word; so positions
are compared, and what is no stack of parallel, equally spaced, transverse slices is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

TILT = 0.9
"""Cosine of the largest angle (25 degrees) between the slices' normal and the patient's long axis."""
UNEVEN = 0.1
"""By how much of the usual step a step may differ."""


Scalar = TypeVar("Scalar", bound=np.generic)


class NotAVolume(Exception):
    """These slices make no volume: a code of ``inference.reasons`` and its parameters."""

    def __init__(self, code: str, **parameters: str | int) -> None:
        super().__init__(code)
        self.code, self.parameters = code, parameters


@dataclass(frozen=True)
class Arrangement:
    """How slices make a volume whose first slice is nearest to the head, whose rows run from front to back and whose
    columns run from the patient's right to the left.

    Attributes:
        order: places of the slices in the list that was given.
        spacing: between slices, rows and columns in mm.
        flipped: whether a slice's rows, and its columns, must be turned round for that.
    """

    order: tuple[int, ...]
    spacing: tuple[float, float, float]
    flipped: tuple[bool, bool]

    def upright(self, pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """A slice (rows, columns) as it lies in the volume."""
        return turned(pixels, self.flipped)


def turned(slices: npt.NDArray[Scalar], flipped: Sequence[bool]) -> npt.NDArray[Scalar]:
    """Slices, (..., rows, columns), as they lie in the volume; or the volume's as they lie in its series.

    Args:
        flipped: whether rows, and columns, are turned round.
    """
    rows, columns = flipped
    return slices[..., :: -1 if rows else 1, :: -1 if columns else 1]


def arrange(headers: Sequence[Dataset], *, least: int) -> Arrangement:
    """Order the slices of a series.

    Args:
        least: the fewest slices that are taken for a volume.

    Raises:
        NotAVolume: ``too_few_slices``, ``no_positions``, ``slices_differ``, ``not_transverse``, ``slices_twice``,
            ``slices_missing``.
    """
    if len(headers) < least:
        raise NotAVolume("too_few_slices", slices=len(headers), least=least)
    positions, orientation, pixel = _geometry(headers)
    along_columns, along_rows = orientation[:3], orientation[3:]
    normal = np.cross(along_columns, along_rows)
    if abs(normal[2]) < TILT or abs(along_columns[0]) < TILT or abs(along_rows[1]) < TILT:
        raise NotAVolume("not_transverse")
    downwards = normal if normal[2] < 0 else -normal
    depth = positions @ downwards
    order = np.argsort(depth, kind="stable")
    step = _step(np.diff(depth[order]))
    flipped = (bool(along_rows[1] < 0), bool(along_columns[0] < 0))
    return Arrangement(
        tuple(int(place) for place in order),
        (step, float(pixel[0]), float(pixel[1])),
        flipped,
    )


def _geometry(headers: Sequence[Dataset]) -> tuple[npt.NDArray[np.float64], ...]:
    """Positions (slices, 3), the common orientation (6,) and pixel spacing (2,)."""
    try:
        positions = np.array([[float(part) for part in header.ImagePositionPatient] for header in headers])
        turns = np.array([[float(part) for part in header.ImageOrientationPatient] for header in headers])
        sizes = np.array([[float(part) for part in header.PixelSpacing] for header in headers])
        kinds = {(int(header.Rows), int(header.Columns), header.get("FrameOfReferenceUID")) for header in headers}
        fits = positions.shape[1:] == (3,) and turns.shape[1:] == (6,) and sizes.shape[1:] == (2,)
    except (AttributeError, TypeError, ValueError) as error:
        raise NotAVolume("no_positions") from error
    if not fits or not np.isfinite(positions).all() or not np.isfinite(turns).all() or not (sizes > 0).all():
        raise NotAVolume("no_positions")
    if len(kinds) > 1 or np.ptp(turns, axis=0).max() > 1e-2 or np.ptp(sizes, axis=0).max() > 1e-2:
        raise NotAVolume("slices_differ")
    return positions, turns[0], sizes[0]


def _step(steps: npt.NDArray[np.float64]) -> float:
    """The distance between neighbouring slices in mm."""
    usual = float(np.median(steps))
    if (steps < 1e-3).any():
        raise NotAVolume("slices_twice", slices=int((steps < 1e-3).sum()))
    gaps = steps > (1 + UNEVEN) * usual
    if gaps.any() or (steps < (1 - UNEVEN) * usual).any():
        raise NotAVolume("slices_missing", gaps=int(max(gaps.sum(), 1)))
    return usual

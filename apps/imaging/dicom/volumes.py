"""Arranging the slices of a series as a volume by their positions (PS3.3 section C.7.6.2.1).

Instance numbers do not define a spatial order, and a missing slice would silently give a wrong volume. So positions
are compared, and anything but a stack of parallel, equally spaced, transverse slices is rejected with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

MIN_AXIS_COSINE = 0.9
"""Cosine of the maximum angle (25 degrees) between the slice normal and the patient's long axis."""
SPACING_TOLERANCE = 0.1
"""Maximum deviation of a slice distance from the median, as a fraction."""


Scalar = TypeVar("Scalar", bound=np.generic)


class NotAVolume(Exception):
    """The slices do not form a volume: a reason code of ``inference.messages`` and its parameters."""

    def __init__(self, code: str, **parameters: str | int) -> None:
        super().__init__(code)
        self.code, self.parameters = code, parameters


@dataclass(frozen=True)
class Arrangement:
    """Mapping of slices to a volume.

    The volume's first slice is nearest to the head, rows run from front to back, columns from the patient's right to
    the left.

    Attributes:
        order: indices of the slices in the input list.
        spacing: between slices, rows and columns in mm.
        flipped: whether a slice's rows, and its columns, have to be reversed.
    """

    order: tuple[int, ...]
    spacing: tuple[float, float, float]
    flipped: tuple[bool, bool]

    def upright(self, pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Orient a slice, (rows, columns), as in the volume."""
        return turned(pixels, self.flipped)


def turned(slices: npt.NDArray[Scalar], flipped: Sequence[bool]) -> npt.NDArray[Scalar]:
    """Reverse rows or columns of slices, (..., rows, columns): from series to volume orientation, or back.

    Args:
        flipped: whether to reverse rows, and columns.
    """
    rows, columns = flipped
    return slices[..., :: -1 if rows else 1, :: -1 if columns else 1]


def arrange(headers: Sequence[Dataset], *, min_slices: int) -> Arrangement:
    """Order the slices of a series.

    Args:
        min_slices: minimum number of slices of a volume.

    Raises:
        NotAVolume: ``too_few_slices``, ``no_positions``, ``slices_differ``, ``not_transverse``, ``slices_twice``,
            ``slices_missing``.
    """
    if len(headers) < min_slices:
        raise NotAVolume("too_few_slices", slices=len(headers), least=min_slices)
    positions, orientation, pixel = _geometry(headers)
    along_columns, along_rows = orientation[:3], orientation[3:]
    normal = np.cross(along_columns, along_rows)
    if (
        abs(normal[2]) < MIN_AXIS_COSINE
        or abs(along_columns[0]) < MIN_AXIS_COSINE
        or abs(along_rows[1]) < MIN_AXIS_COSINE
    ):
        raise NotAVolume("not_transverse")
    downwards = normal if normal[2] < 0 else -normal
    depth = positions @ downwards
    order = np.argsort(depth, kind="stable")
    step = _step(np.diff(depth[order]))
    flipped = (bool(along_rows[1] < 0), bool(along_columns[0] < 0))
    return Arrangement(
        tuple(int(index) for index in order),
        (step, float(pixel[0]), float(pixel[1])),
        flipped,
    )


def _geometry(headers: Sequence[Dataset]) -> tuple[npt.NDArray[np.float64], ...]:
    """Return positions (slices, 3), the common orientation (6,) and the pixel spacing (2,)."""
    try:
        positions = np.array([[float(part) for part in header.ImagePositionPatient] for header in headers])
        orientations = np.array([[float(part) for part in header.ImageOrientationPatient] for header in headers])
        spacings = np.array([[float(part) for part in header.PixelSpacing] for header in headers])
        grids = {(int(header.Rows), int(header.Columns), header.get("FrameOfReferenceUID")) for header in headers}
        complete = positions.shape[1:] == (3,) and orientations.shape[1:] == (6,) and spacings.shape[1:] == (2,)
    except (AttributeError, TypeError, ValueError) as error:
        raise NotAVolume("no_positions") from error
    if (
        not complete
        or not np.isfinite(positions).all()
        or not np.isfinite(orientations).all()
        or not (spacings > 0).all()
    ):
        raise NotAVolume("no_positions")
    if len(grids) > 1 or np.ptp(orientations, axis=0).max() > 1e-2 or np.ptp(spacings, axis=0).max() > 1e-2:
        raise NotAVolume("slices_differ")
    return positions, orientations[0], spacings[0]


def _step(steps: npt.NDArray[np.float64]) -> float:
    """Return the distance between neighbouring slices in mm."""
    median = float(np.median(steps))
    if (steps < 1e-3).any():
        raise NotAVolume("slices_twice", slices=int((steps < 1e-3).sum()))
    gaps = steps > (1 + SPACING_TOLERANCE) * median
    if gaps.any() or (steps < (1 - SPACING_TOLERANCE) * median).any():
        raise NotAVolume("slices_missing", gaps=int(max(gaps.sum(), 1)))
    return median

"""From the slices of a volume to the box that a volume model reads; one function for training, prediction, explanation.

The box is kept in grey levels (0..255): that is where an explainer hides regions. No torch here: the reading of series
is known to the web process, which starts without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt


def shrunk(slices: Iterable[npt.NDArray[np.generic]], *, shape: Sequence[int]) -> npt.NDArray[np.float32]:
    """Slices brought to the box's rows and columns, one after the other: a whole volume may be large.

    Args:
        slices: (rows, columns) each.
        shape: of the model's box.

    Returns:
        (slices, rows, columns) means over areas.
    """
    small = [_pooled(_pooled(_finite(one), 0, shape[1]), 1, shape[2]) for one in slices]
    return np.stack(small).astype(np.float32)


def to_box(pixels: npt.NDArray[np.generic], *, shape: Sequence[int], window: Sequence[float]) -> npt.NDArray[np.uint8]:
    """Bring a volume to the model's box: squeezed, so that places map linearly, and windowed to 0..255.

    Args:
        pixels: (slices, rows, columns) in the measured unit.
        window: the values that become 0 and 255.

    Raises:
        ValueError: if ``pixels`` has not three axes.
    """
    if pixels.ndim != 3:
        raise ValueError(f"a volume has slices, rows and columns, this array has shape {pixels.shape}")
    box = _finite(pixels)
    for axis, number in enumerate(shape):
        box = _pooled(box, axis, number)
    low, high = window
    return np.clip(np.round((box - low) / (high - low) * 255), 0, 255).astype(np.uint8)


def _finite(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    return np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)


def _pooled(values: npt.NDArray[np.float64], axis: int, number: int) -> npt.NDArray[np.float64]:
    """Means of ``number`` stretches along an axis that together cover it; fewer values than stretches are repeated."""
    length = values.shape[axis]
    if length == number:
        return values
    places = np.arange(number)
    first, last = places * length // number, -(-(places + 1) * length // number)
    sums = np.insert(np.cumsum(values, axis=axis), 0, 0.0, axis=axis)
    wide = (last - first).reshape([-1 if one == axis else 1 for one in range(values.ndim)])
    return np.asarray((sums.take(last, axis) - sums.take(first, axis)) / wide)

"""Resampling of volumes to the model's input box, shared by training, inference and explanation.

The box stays in grey levels (0..255), where explainers mask regions. No torch here: the web process, which starts
without it, imports this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt


def shrink_slices(slices: Iterable[npt.NDArray[np.generic]], *, shape: Sequence[int]) -> npt.NDArray[np.float32]:
    """Downsample slices one by one to the box's rows and columns; a whole volume may not fit into memory.

    Args:
        slices: (rows, columns) each.
        shape: of the model's box.

    Returns:
        (slices, rows, columns) area means.
    """
    small = [_pooled(_pooled(_finite(pixels), 0, shape[1]), 1, shape[2]) for pixels in slices]
    return np.stack(small).astype(np.float32)


def to_box(pixels: npt.NDArray[np.generic], *, shape: Sequence[int], window: Sequence[float]) -> npt.NDArray[np.uint8]:
    """Resize a volume to the model's box (positions map linearly) and window it to 0..255.

    Args:
        pixels: (slices, rows, columns) in the measured unit.
        window: the values mapped to 0 and 255.

    Raises:
        ValueError: if ``pixels`` does not have three axes.
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
    """Area means of ``number`` intervals covering an axis; if there are fewer values, they are repeated."""
    length = values.shape[axis]
    if length == number:
        return values
    index = np.arange(number)
    first, last = index * length // number, -(-(index + 1) * length // number)
    sums = np.insert(np.cumsum(values, axis=axis), 0, 0.0, axis=axis)
    wide = (last - first).reshape([-1 if other == axis else 1 for other in range(values.ndim)])
    return np.asarray((sums.take(last, axis) - sums.take(first, axis)) / wide)

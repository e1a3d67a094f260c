"""Drawing attributions of volumes: slice by slice, and as projections.

A projection is a sum along one axis, so its parts add up as the volume's own do; a slice shows the slab in which it
lies, between the middles of two slabs a mixture of both.
"""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from apps.explainability.drawing.overlay import Style, coloured, enlarged, png, scale_end

PROJECTIONS = ("axial", "coronal", "sagittal")
"""Along which axis of (slices, rows, columns) is summed up: from the feet, from the front, from the side."""
LEVELS = 32
"""Pictures of a volume from head to feet in one file; slices between them show the nearest."""
EDGE = 192
"""Rows and columns of each, pixels."""
Array = npt.NDArray[np.float32]


def region_of(pixels: int, regions: int) -> npt.NDArray[np.intp]:
    """(pixels,) in which region along an axis the middle of each pixel or slice lies."""
    return ((np.arange(pixels) + 0.5) * regions / pixels).astype(np.intp)


def layer(values: Array, place: float) -> Array:
    """(rows, columns) of (slabs, rows, columns) at a place from head, 0, to feet, 1."""
    at = float(np.clip(place * len(values) - 0.5, 0, len(values) - 1))
    first = min(int(at), len(values) - 1)
    second = min(first + 1, len(values) - 1)
    return np.asarray((1 - (at - first)) * values[first] + (at - first) * values[second], dtype=np.float32)


def projected(values: Array, view: str) -> Array:
    """The sum along a projection's axis: (rows, columns), (slices, columns) or (slices, rows)."""
    return np.asarray(values.sum(axis=PROJECTIONS.index(view)))


def sheet_png(values: Array, style: Style) -> bytes:
    """LEVELS transparent pictures below each other, from head to feet, in one scale."""
    places = (np.arange(LEVELS) + 0.5) / LEVELS
    smooth = np.stack([enlarged(layer(values, float(place)), EDGE) for place in places])
    end = scale_end(smooth)
    return png(np.concatenate([coloured(one, style, end) for one in smooth]))


def grey_png(box: npt.NDArray[np.uint8], view: str, extent: tuple[float, float, float], edge: int) -> bytes:
    """The volume's own projection, means of its grey levels, in its true proportions.

    Args:
        extent: of the volume along slices, rows and columns in mm.
        edge: columns of the picture.
    """
    axis = PROJECTIONS.index(view)
    flat = box.astype(np.float32).mean(axis=axis)
    low, high = np.percentile(flat, [0.5, 99.5])
    grey = np.round(255 * np.clip((flat - low) / max(float(high - low), 1e-6), 0, 1)).astype(np.uint8)
    down, across = (length for number, length in enumerate(extent) if number != axis)
    picture = Image.fromarray(grey).resize((edge, max(1, round(edge * down / across))), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def profile(values: Array) -> npt.NDArray[np.float64]:
    """(slabs,) sums from head to feet."""
    return np.asarray(values.sum(axis=(1, 2), dtype=np.float64))

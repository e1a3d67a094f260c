"""Rendering of volume attributions: slice by slice, and as projections.

A projection sums along one axis, so it preserves the total; a slice shows its slab, interpolated linearly between the
centres of neighbouring slabs.
"""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from apps.explainability.drawing.overlay import Style, coloured, enlarged, png, scale_end

PROJECTIONS = ("axial", "coronal", "sagittal")
"""Projections along the axes of (slices, rows, columns), in this order."""
LEVELS = 32
"""Images of a volume from head to feet in one file; other slices show the nearest one."""
EDGE = 192
"""Rows and columns of each image in pixels."""
Array = npt.NDArray[np.float32]


def region_of(pixels: int, regions: int) -> npt.NDArray[np.intp]:
    """Index (pixels,) of the region that contains the centre of each pixel or slice along an axis."""
    return ((np.arange(pixels) + 0.5) * regions / pixels).astype(np.intp)


def layer(values: Array, position: float) -> Array:
    """Interpolate (slabs, rows, columns) to (rows, columns) at a position from head (0) to feet (1)."""
    at = float(np.clip(position * len(values) - 0.5, 0, len(values) - 1))
    first = min(int(at), len(values) - 1)
    second = min(first + 1, len(values) - 1)
    return np.asarray((1 - (at - first)) * values[first] + (at - first) * values[second], dtype=np.float32)


def projected(values: Array, view: str) -> Array:
    """Sum along a projection's axis: (rows, columns), (slices, columns) or (slices, rows)."""
    return np.asarray(values.sum(axis=PROJECTIONS.index(view)))


def sheet_png(values: Array, style: Style) -> bytes:
    """Render LEVELS transparent images below each other, from head to feet, with a common scale."""
    positions = (np.arange(LEVELS) + 0.5) / LEVELS
    smooth = np.stack([enlarged(layer(values, float(position)), EDGE) for position in positions])
    end = scale_end(smooth)
    return png(np.concatenate([coloured(level, style, end) for level in smooth]))


def grey_png(box: npt.NDArray[np.uint8], view: str, extent: tuple[float, float, float], edge: int) -> bytes:
    """Render a mean projection of the volume in its true proportions.

    Args:
        extent: of the volume along slices, rows and columns, in mm.
        edge: columns of the image.
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
    """Sums per slab (slabs,), from head to feet."""
    return np.asarray(values.sum(axis=(1, 2), dtype=np.float64))

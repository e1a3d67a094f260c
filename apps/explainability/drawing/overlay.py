"""Rendering of attributions as transparent overlay images."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

Sign = Literal["both", "positive", "negative"]
SIGNS: tuple[Sign, ...] = ("both", "positive", "negative")
POSITIVE, NEGATIVE = (255, 140, 26), (64, 156, 255)
"""Orange for supporting, blue for opposing evidence: distinguishable with colour blindness and visible on grey."""
SMOOTHING = 0.02
"""Sigma of the blur as a share of the image's edge: removes the regions' hard edges, which carry no
meaning. The stored attributions are unchanged."""
LEVELS = (0.25, 0.5, 0.75)
"""Contour levels, as shares of the scale's end."""


@dataclass(frozen=True)
class Style:
    """Rendering options.

    Attributes:
        sign: which sign of evidence to draw.
        threshold: values below this share of the scale's end are not drawn, 0..0.95.
        contours: lines at LEVELS instead of filled colour.
        edge: rows and columns of the overlay, which is stretched over the image.
    """

    sign: Sign = "both"
    threshold: float = 0.15
    contours: bool = False
    edge: int = 512


def overlay_png(attributions: npt.NDArray[np.float32], style: Style = Style()) -> bytes:  # frozen
    """Render a PNG: colour encodes the sign, opacity the magnitude of the attribution.

    The scale is symmetric and ends at the 99.5th percentile of the absolute attributions, so that
    both signs are comparable.

    Args:
        attributions: (rows, columns), one value per region or pixel.
    """
    smooth = enlarged(attributions, style.edge)
    return png(coloured(smooth, style, scale_end(smooth)))


def coloured(smooth: npt.NDArray[np.floating], style: Style, end: float) -> npt.NDArray[np.uint8]:
    """Colour smoothed attributions as RGBA (rows, columns, 4); ``end`` is the value with full opacity."""
    values = smooth / end
    if style.sign != "both":
        values = np.clip(values, 0, None) if style.sign == "positive" else np.clip(values, None, 0)
    strength = np.clip(np.abs(values), 0, 1)
    alpha = np.where(strength < max(style.threshold, 1e-6), 0, strength)
    if style.contours:
        alpha = _lines(values, style.threshold)
    colour = np.where((values > 0)[..., None], np.array(POSITIVE), np.array(NEGATIVE))
    return np.dstack([colour, np.round(alpha * 255)]).astype(np.uint8)


def enlarged(attributions: npt.NDArray[np.float32], edge: int) -> npt.NDArray[np.float32]:
    """Upsample and smooth attributions to (edge, edge) for drawing."""
    rows = attributions.shape[0]
    if rows < 64:  # one value per region: smooth over about half a region
        near = Image.fromarray(attributions.astype(np.float32)).resize((edge, edge), Image.Resampling.NEAREST)
        return np.asarray(ndimage.gaussian_filter(np.asarray(near), 0.4 * edge / rows), dtype=np.float32)
    smooth = ndimage.gaussian_filter(attributions.astype(np.float32), SMOOTHING * rows)
    return np.asarray(Image.fromarray(smooth).resize((edge, edge), Image.Resampling.BILINEAR))


def burnt_in(
    film: npt.NDArray[np.generic], attributions: npt.NDArray[np.float32], style: Style
) -> npt.NDArray[np.uint8]:
    """Blend the overlay into the image, (rows, columns, 3), for print and Secondary Capture.

    Args:
        film: (rows, columns), larger = brighter.
    """
    low, high = np.percentile(film.astype(np.float32), [0.5, 99.5])
    grey = np.clip((film.astype(np.float32) - low) / max(float(high - low), 1e-6), 0, 1)
    with Image.open(io.BytesIO(overlay_png(attributions, style))) as picture:
        over = np.asarray(picture.resize((film.shape[1], film.shape[0]), Image.Resampling.BILINEAR), dtype=np.float32)
    opacity = 0.55 * over[..., 3:] / 255
    mixed = 255 * grey[..., None] * (1 - opacity) + over[..., :3] * opacity
    return np.round(mixed).astype(np.uint8)


def scale_end(attributions: npt.NDArray[np.float32]) -> float:
    """The attribution with full opacity."""
    return max(float(np.percentile(np.abs(attributions), 99.5)), 1e-12)


def _lines(values: npt.NDArray[np.floating], threshold: float) -> npt.NDArray[np.float64]:
    """Contours at the levels above the threshold, thicker at higher levels."""
    drawn = np.zeros(values.shape, dtype=bool)
    for number, level in enumerate(level for level in LEVELS if level >= threshold):
        for side in (values, -values):
            inside = side >= level
            drawn |= inside & ~ndimage.binary_erosion(inside, iterations=2 + number, border_value=1)
    return drawn.astype(np.float64)


def png(rgba: npt.NDArray[np.uint8]) -> bytes:
    """Encode RGBA (rows, columns, 4) as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(rgba).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()

"""Drawing attributions: a transparent picture to lay over the film."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

Sign = Literal["both", "positive", "negative"]
POSITIVE, NEGATIVE = (255, 140, 26), (64, 156, 255)
"""Orange for, blue against: apart for every kind of colour blindness, and both visible on grey."""
FAINT = 0.15
"""Shares of the strongest attribution below this are not drawn."""
SMOOTHING = 0.02
"""Deviation of the blur over the picture, as a share of its edge: takes the hard edges of the regions,
which mean nothing. The stored attributions stay as they are."""


def overlay_png(attributions: npt.NDArray[np.float32], *, sign: Sign = "both", edge: int = 512) -> bytes:
    """A PNG whose colour is the sign and whose opacity is the size of the attribution.

    The scale is symmetric and ends at the 99.5th percentile of the absolute attributions, so that
    both signs are comparable.

    Args:
        attributions: (rows, columns).
        sign: which evidence to draw.
        edge: rows and columns of the picture; it is stretched over the film.
    """
    smooth = ndimage.gaussian_filter(attributions.astype(np.float32), SMOOTHING * attributions.shape[0])
    enlarged = Image.fromarray(smooth).resize((edge, edge), Image.Resampling.BILINEAR)
    values = np.asarray(enlarged) / scale_end(smooth)
    if sign != "both":
        values = np.clip(values, 0, None) if sign == "positive" else np.clip(values, None, 0)
    strength = np.clip(np.abs(values), 0, 1)
    alpha = np.where(strength < FAINT, 0, strength)
    colour = np.where((values > 0)[..., None], np.array(POSITIVE), np.array(NEGATIVE))
    rgba = np.dstack([colour, np.round(alpha * 255)]).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(rgba).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def scale_end(attributions: npt.NDArray[np.float32]) -> float:
    """The attribution a pixel at which the colour is full."""
    return max(float(np.percentile(np.abs(attributions), 99.5)), 1e-12)

"""Preprocessing of radiographs: from pixels to the model's input plane.

Training, inference and explanation share one function, so that they cannot diverge. The plane stays
in grey levels (0..255), where explainers mask regions; the per-image normalisation is part of the
model's function and is applied in :func:`normalise`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps
from torch.nn import functional as F

CANONICAL_SIZE = 224
"""Rows and columns of the first resize: the size of the training images."""


def to_plane(pixels: npt.NDArray[np.generic], *, size: int) -> npt.NDArray[np.uint8]:
    """Resize and equalise an image to the model's plane.

    The image is resized to a square without preserving the aspect ratio, as the training images were (so
    x and y map linearly to columns and rows), clipped to the 0.5th to 99.5th percentile, and its
    histogram is equalised, which makes the model insensitive to exposure.

    Args:
        pixels: (rows, columns), any real dtype, larger = brighter (MONOCHROME2).
        size: rows and columns of the plane in pixels.

    Returns:
        (size, size) uint8.

    Raises:
        ValueError: if ``pixels`` is not two-dimensional.
    """
    if pixels.ndim != 2:
        raise ValueError(f"a film has rows and columns, this array has shape {pixels.shape}")
    values = np.nan_to_num(pixels.astype(np.float32), posinf=0.0, neginf=0.0)
    low, high = np.percentile(values, [0.5, 99.5])
    scaled = np.clip((values - low) / max(float(high - low), 1e-6), 0, 1)
    image = Image.fromarray(np.round(scaled * 255).astype(np.uint8))
    if image.size != (CANONICAL_SIZE, CANONICAL_SIZE):
        image = image.resize((CANONICAL_SIZE, CANONICAL_SIZE), Image.Resampling.BOX, reducing_gap=3.0)
    image = ImageOps.equalize(image)
    if size != CANONICAL_SIZE:
        image = image.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(image)


def normalise(planes: torch.Tensor) -> torch.Tensor:
    """Standardise each plane to mean 0 and standard deviation 1.

    Args:
        planes: (n, size, size) grey levels.

    Returns:
        (n, 1, size, size) float32.
    """
    planes = planes.to(torch.float32).unsqueeze(1)
    # One fused pass; eps only matters for a constant plane, which becomes 0.
    return F.layer_norm(planes, planes.shape[2:], eps=1e-5)

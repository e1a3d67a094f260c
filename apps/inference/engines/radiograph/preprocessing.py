"""From the pixels of a film to the plane that a film model reads.

One function serves training, prediction and explanation, so that none of them can drift from the
others. The plane is kept in grey levels (0..255): that is where an explainer hides regions; the
per-film normalisation is part of the model's function and is applied in :func:`normalise`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps
from torch.nn import functional as F

CANONICAL_SIZE = 224
"""Films are first brought to this many rows and columns: the size of the training films."""


def to_plane(pixels: npt.NDArray[np.generic], *, size: int) -> npt.NDArray[np.uint8]:
    """Bring one film to the model's plane.

    The film is squeezed to a square, as the training films were (so a plane's x and y map linearly
    to the film's columns and rows), its grey values clipped to their 0.5th to 99.5th percentile,
    and its histogram equalised, which makes the model indifferent to the exposure.

    Args:
        pixels: (rows, columns), any real dtype, larger = brighter (MONOCHROME2).
        size: rows and columns of the plane in pixels.

    Returns:
        (size, size) uint8.

    Raises:
        ValueError: if ``pixels`` is not two-dimensional or holds no finite number.
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
    """Give each plane mean 0 and standard deviation 1.

    Args:
        planes: (n, size, size) grey levels.

    Returns:
        (n, 1, size, size) float32.
    """
    planes = planes.to(torch.float32).unsqueeze(1)
    # One fused pass; the small constant only matters for a plane of one grey level, which becomes 0.
    return F.layer_norm(planes, planes.shape[2:], eps=1e-5)

"""Out-of-distribution detection by PCA reconstruction error.

An image is reduced to a thumbnail and reconstructed from the principal components of the training
images' thumbnails; the reconstruction error (the squared prediction error of Jackson and Mudholkar,
Technometrics 1979) is its novelty. Distances in the network's own feature space were tried and
accepted more than half of the CT, MR and ultrasound images of the public test files. The figures,
and how the threshold was chosen, are in docs/architecture.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

EDGE = 16
DEEP = 8
"""Slices of a volume's thumbnail."""
COMPONENTS = 80

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OODDetector:
    """PCA of the training images' thumbnails.

    Attributes:
        mean: (tiles,), EDGE * EDGE for images, DEEP * EDGE * EDGE for volumes.
        components: (COMPONENTS, tiles), orthonormal rows.
    """

    mean: Array
    components: Array

    def novelty(self, planes: npt.NDArray[np.generic]) -> Array:
        """Mean squared reconstruction error (n,) of planes (n, size, size) or volumes (n, *shape)."""
        # All in torch: threads of a second library beside torch's own would halve the speed of both.
        components = torch.from_numpy(self.components).double()
        centred = _thumbnails(planes) - torch.from_numpy(self.mean).double()
        rebuilt = centred @ components.T @ components
        return np.asarray(((centred - rebuilt) ** 2).mean(dim=1).numpy())


def thumbnails(planes: npt.NDArray[np.generic]) -> Array:
    """Thumbnails (n, tiles): means over tiles, standardised per thumbnail."""
    return np.asarray(_thumbnails(planes).numpy())


def _thumbnails(planes: npt.NDArray[np.generic]) -> torch.Tensor:
    batch = torch.from_numpy(np.ascontiguousarray(planes)).to(torch.float32).unsqueeze(1)
    flat = planes.ndim == 3
    small = F.adaptive_avg_pool2d(batch, EDGE) if flat else F.adaptive_avg_pool3d(batch, (DEEP, EDGE, EDGE))
    small = small.flatten(1).double()
    centred = small - small.mean(dim=1, keepdim=True)
    return centred / small.std(dim=1, keepdim=True).clamp_min(1e-3)

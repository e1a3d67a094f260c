"""How unlike the training films a film is, before a model is believed.

A film is shrunk to a thumbnail and rebuilt from the principal components of the training films'
thumbnails; what cannot be rebuilt (the squared prediction error of Jackson and Mudholkar,
Technometrics 1979) is its novelty. Distances in the network's own feature space were tried and let
more than half of the public test files' CT, MR and ultrasound images pass. The figures, and how the
setting was chosen, are in docs/architecture.md.
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
    """The training films' thumbnails in short.

    Attributes:
        mean: (tiles,), EDGE * EDGE of a film, DEEP * EDGE * EDGE of a volume.
        components: (COMPONENTS, tiles), orthonormal rows.
    """

    mean: Array
    components: Array

    def novelty(self, planes: npt.NDArray[np.generic]) -> Array:
        """(n,) mean squared error of the rebuilt thumbnails of planes, (n, size, size), or boxes, (n, *shape)."""
        # All in torch: a second library's threads beside torch's own would halve the speed of both.
        components = torch.from_numpy(self.components).double()
        centred = _thumbnails(planes) - torch.from_numpy(self.mean).double()
        rebuilt = centred @ components.T @ components
        return np.asarray(((centred - rebuilt) ** 2).mean(dim=1).numpy())


def thumbnails(planes: npt.NDArray[np.generic]) -> Array:
    """(n, tiles) means over tiles, each thumbnail with mean 0 and deviation 1."""
    return np.asarray(_thumbnails(planes).numpy())


def _thumbnails(planes: npt.NDArray[np.generic]) -> torch.Tensor:
    batch = torch.from_numpy(np.ascontiguousarray(planes)).to(torch.float32).unsqueeze(1)
    flat = planes.ndim == 3
    small = F.adaptive_avg_pool2d(batch, EDGE) if flat else F.adaptive_avg_pool3d(batch, (DEEP, EDGE, EDGE))
    small = small.flatten(1).double()
    centred = small - small.mean(dim=1, keepdim=True)
    return centred / small.std(dim=1, keepdim=True).clamp_min(1e-3)

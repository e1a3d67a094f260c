"""Running a volume package: ``torch-volume``, for one grey volume at a time or a batch.

What holds of films (calibration, guard, labels) holds here too; only what the network reads has three axes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from apps.inference.engines.radiograph.model import RadiographModel
from apps.inference.engines.volume.resampling import to_box


class VolumeModel(RadiographModel):
    """A loaded volume package; its planes are boxes, (slices, rows, columns)."""

    layout = torch.contiguous_format

    def prepare(self, pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
        """The box of a volume as :func:`boxes.shrunk` gives it, (slices, rows, columns) in the measured unit."""
        return to_box(pixels, shape=self.package.shape, window=self.package.card["preprocessing"]["window"])

    def inputs(self, planes: torch.Tensor) -> torch.Tensor:
        """(n, 1, *shape) in -1..1: a CT's unit is absolute, so nothing is fitted to the volume."""
        return scaled(planes)

    def embed(self, planes: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """(n, features) of the network's last layer before its classifier."""
        with torch.inference_mode():
            batch = torch.from_numpy(np.ascontiguousarray(planes)).to(self.device)
            network: Any = self.network
            return np.asarray(network.pooled(self.inputs(batch)).float().cpu().numpy())


def scaled(boxes: torch.Tensor) -> torch.Tensor:
    """(n, 1, slices, rows, columns) float32 in -1..1 of (n, slices, rows, columns) grey levels 0..255."""
    return boxes.to(torch.float32).unsqueeze(1) / 127.5 - 1

"""Volume classifier, runtime ``torch-volume``.

Calibration, out-of-distribution detector and labels are those of radiographs; only the input has three axes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from apps.inference.engines.radiograph.model import RadiographModel
from apps.inference.engines.volume.resampling import to_box


class VolumeModel(RadiographModel):
    """A loaded volume package; its inputs have shape (slices, rows, columns)."""

    layout = torch.contiguous_format

    def prepare(self, pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
        """Preprocess a volume from :func:`shrink_slices`, (slices, rows, columns) in the measured unit."""
        return to_box(pixels, shape=self.package.shape, window=self.package.card["preprocessing"]["window"])

    def inputs(self, planes: torch.Tensor) -> torch.Tensor:
        """Network inputs (n, 1, *shape) in -1..1: Hounsfield units are absolute, so there is no per-volume scaling."""
        return scaled(planes)

    def embed(self, planes: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Embeddings (n, features) from the last layer before the classifier."""
        with torch.inference_mode():
            batch = torch.from_numpy(np.ascontiguousarray(planes)).to(self.device)
            network: Any = self.network
            return np.asarray(network.pooled(self.inputs(batch)).float().cpu().numpy())


def scaled(boxes: torch.Tensor) -> torch.Tensor:
    """Scale grey levels 0..255 (n, slices, rows, columns) to float32 in -1..1 (n, 1, slices, rows, columns)."""
    return boxes.to(torch.float32).unsqueeze(1) / 127.5 - 1

"""Fitting the out-of-distribution detector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from sklearn.decomposition import PCA

from apps.inference.engines.radiograph.model import GUARD
from apps.inference.engines.radiograph.ood import COMPONENTS, OODDetector, thumbnails

QUANTILE = 0.995


def fit_guard(trained: npt.NDArray[np.generic], validation: Sequence[npt.NDArray[np.generic]], output: Path) -> float:
    """Fit the detector on training images or volumes (n, *shape) and write it.

    Returns:
        The novelty threshold that accepts 99.5 % of each validation set.
    """
    fitted = PCA(min(COMPONENTS, len(trained)), svd_solver="full").fit(thumbnails(trained))
    guard = OODDetector(fitted.mean_.astype(np.float32), fitted.components_.astype(np.float32))
    stored = {"mean": torch.from_numpy(guard.mean), "components": torch.from_numpy(guard.components)}
    save_file({name: value.contiguous() for name, value in stored.items()}, output / GUARD)
    return max(float(np.quantile(guard.novelty(part), QUANTILE)) for part in validation)

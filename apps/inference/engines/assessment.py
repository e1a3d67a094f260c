"""Inference of image models on a batch, with out-of-distribution check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from apps.inference.engines.input_checks import InputRejected, check_novelty
from apps.inference.engines.runtime_cache import loaded_model
from apps.inference.packages.card import Package


@dataclass(frozen=True)
class Assessed:
    """An input's preprocessed array, and its calibrated probabilities, (labels,), or the reason for rejection."""

    plane: npt.NDArray[np.uint8]
    answer: npt.NDArray[np.float64] | InputRejected


def assess(package: Package, films: Sequence[npt.NDArray[np.generic]]) -> list[Assessed]:
    """Assess images (rows, columns), or volumes (slices, rows, columns) from ``shrink_slices``, in one batch."""
    if not films:
        return []
    model = loaded_model(package)
    planes = [model.prepare(pixels) for pixels in films]
    output = model.run(np.stack(planes))
    limit = package.card.get("novelty", {}).get("threshold")
    assessed = []
    for plane, probabilities, distance in zip(planes, output.probabilities, output.novelty, strict=True):
        try:
            check_novelty(float(distance), limit)
            assessed.append(Assessed(plane, probabilities))
        except InputRejected as refusal:
            assessed.append(Assessed(plane, refusal))
    return assessed

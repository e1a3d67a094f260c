"""SHAP for images by the partition explainer of the ``shap`` library.

It computes Owen values: Shapley values over a hierarchy of rectangles that are halved again and
again, the rectangles that matter first (Owen 1977; Lundberg's PartitionExplainer). Hidden regions are
replaced by a strong blur of the film itself, which keeps its exposure and takes its detail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shap

Function = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float64]]


@dataclass(frozen=True)
class ImageExplanation:
    """Attributions of all outputs of one plane.

    Attributes:
        attributions: (outputs, rows, columns) float32, in the unit of the output.
        base: (outputs,) the function of the wholly hidden plane.
        output: (outputs,) the function of the plane.
        evaluations: how many planes the function was asked for.
    """

    attributions: npt.NDArray[np.float32]
    base: npt.NDArray[np.float64]
    output: npt.NDArray[np.float64]
    evaluations: int


def explain(
    function: Function,
    plane: npt.NDArray[np.uint8],
    *,
    evaluations: int = 500,
    batch: int = 50,
    progress: Callable[[int], None] = lambda done: None,
) -> ImageExplanation:
    """Explain every output of ``function`` for one plane with the same evaluations.

    Args:
        function: (n, rows, columns) float32 grey levels to (n, outputs).
        plane: (rows, columns).
        evaluations: about how many planes may be evaluated; more gives finer regions.
        batch: planes a call.
        progress: called with the number of planes evaluated so far.
    """
    rows, columns = plane.shape
    asked = 0

    def counted(flat: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        nonlocal asked
        asked += len(flat)
        progress(asked)
        return function(np.asarray(flat, dtype=np.float32).reshape(len(flat), rows, columns))

    blur = max(rows, columns) // 3
    masker = shap.maskers.Image(f"blur({blur},{blur})", shape=(rows, columns, 1))
    explainer = shap.explainers.Partition(counted, masker)
    image = plane.astype(np.float32).reshape(1, rows, columns, 1)
    explained = explainer(image, max_evals=evaluations, batch_size=batch, silent=True)
    values = np.asarray(explained.values)[0, :, :, 0, :]
    output = counted(image[..., 0])[0]
    base = np.asarray(explained.base_values)[0]
    return ImageExplanation(np.moveaxis(values, -1, 0).astype(np.float32), base, output, asked)

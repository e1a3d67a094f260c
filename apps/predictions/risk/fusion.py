"""Fusion of several sources into one risk, attributed to the sources."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from apps.explainability.explainers.fusion.shapley import shapley
from apps.inference.engines.runtime_cache import loaded_model
from apps.inference.packages.card import Package


def fuse(package: Package, probabilities: dict[str, float]) -> dict[str, Any]:
    """Predict the risk from the available sources, with the exact Shapley value of each source.

    Args:
        probabilities: by source; absent sources are treated as missing.
    """
    fusion = loaded_model(package)
    names = [name for name in fusion.sources if name in probabilities]

    def value_function(coalitions: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        return np.array(
            [
                fusion.risk({name: probabilities[name] for name, present in zip(names, row, strict=True) if present})
                for row in coalitions
            ]
        )

    values, base, full = shapley(value_function, len(names))
    return {
        "risk": full,
        "base": base,
        "shares": dict(zip(names, values.tolist(), strict=True)),
        "probabilities": {name: probabilities[name] for name in names},
        "missing": [name for name in fusion.sources if name not in probabilities],
    }

"""One risk from several sources, and each source's share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from apps.explainability.explainers.fusion.shapley import shapley
from apps.inference.engines.runtime_cache import loaded_model
from apps.inference.packages.card import Package


def joined(package: Package, probabilities: dict[str, float]) -> dict[str, Any]:
    """The risk of the sources that are there, with exact Shapley values of having each.

    Args:
        probabilities: by source; what is not in it is missing.
    """
    fusion = loaded_model(package)
    names = [name for name in fusion.sources if name in probabilities]

    def earnings(coalitions: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        return np.array(
            [
                fusion.risk({name: probabilities[name] for name, there in zip(names, row, strict=True) if there})
                for row in coalitions
            ]
        )

    values, nobody, everybody = shapley(earnings, len(names))
    return {
        "risk": everybody,
        "base": nobody,
        "shares": dict(zip(names, values.tolist(), strict=True)),
        "probabilities": {name: probabilities[name] for name in names},
        "missing": [name for name in fusion.sources if name not in probabilities],
    }

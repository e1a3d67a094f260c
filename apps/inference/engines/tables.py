"""Interface of tabular models."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from apps.inference.engines.runtime_cache import loaded_model
from apps.inference.packages.card import Package

Values = npt.NDArray[np.float64]


class TableModel(Protocol):
    """A tabular model."""

    @property
    def background(self) -> Values:
        """Background sample for explanations, (rows, features)."""
        ...

    def predict(self, rows: npt.NDArray[np.floating]) -> Values:
        """Outputs (n,) for rows (n, features)."""
        ...


def table_model(package: Package) -> TableModel:
    """Return the loaded model of a verified tabular package, cached per process.

    Raises:
        PackageRefused: if its files do not match the card.
    """
    model: TableModel = loaded_model(package)
    return model

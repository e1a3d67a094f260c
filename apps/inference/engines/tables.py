"""What every engine of rows of numbers gives."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from apps.inference.engines.runtime_cache import loaded_model
from apps.inference.packages.card import Package

Values = npt.NDArray[np.float64]


class TableModel(Protocol):
    """Answers rows."""

    @property
    def background(self) -> Values:
        """(rows, features) typical rows: against them a row is explained."""
        ...

    def predict(self, rows: npt.NDArray[np.floating]) -> Values:
        """(n,) answers to (n, features) rows."""
        ...


def table_model(package: Package) -> TableModel:
    """The loaded model of a table package that was verified just now; kept in the process.

    Raises:
        PackageRefused: if its files are not what the card says.
    """
    model: TableModel = loaded_model(package)
    return model

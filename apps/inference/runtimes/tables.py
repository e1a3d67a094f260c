"""Loaded models of rows of numbers, by the runtime that their card names."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from apps.inference.packages.card import Package
from apps.inference.runtimes.estimators import Estimator
from apps.inference.runtimes.trees import read_trees

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
    """The package's model; not kept.

    Raises:
        PackageRefused: if its files are not what the card says.
    """
    return Estimator(package) if package.card["runtime"] == "skops" else read_trees(package)

"""Interface of text models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from apps.inference.engines.runtime_cache import loaded_model
from apps.inference.packages.card import Package


class TextModel(Protocol):
    """A text classifier."""

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Class probabilities (n, labels)."""
        ...


def text_model(package: Package) -> TextModel:
    """Return the loaded model of a verified text package, cached per process.

    Raises:
        PackageRefused: if the files do not match the card, or a dependency is not installed.
    """
    model: TextModel = loaded_model(package)
    return model

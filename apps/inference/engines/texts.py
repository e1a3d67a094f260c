"""What every engine of texts gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from apps.inference.engines.runtime_cache import loaded_model
from apps.inference.packages.card import Package


class TextModel(Protocol):
    """Answers texts."""

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """(n, labels)."""
        ...


def text_model(package: Package) -> TextModel:
    """The loaded model of a text package that was verified just now; kept in the process.

    Raises:
        PackageRefused: if the files do not fit, or what it builds on is not installed.
    """
    model: TextModel = loaded_model(package)
    return model

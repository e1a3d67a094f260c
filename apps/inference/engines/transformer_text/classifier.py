"""Hugging Face sequence classifiers installed on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.inference.engines.sentence_head.encoder import FROM_DISK, on_disk
from apps.inference.packages.card import Package, PackageRefused


class Classifier:
    """A loaded tokenizer and classifier."""

    def __init__(self, package: Package) -> None:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        source = package.card["encoder"]["model"]
        location = str(package.folder) if source == "." else source
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
            inputs = self._tokens(list(texts), padding=True, truncation=True, max_length=512, return_tensors="pt")
            return np.asarray(self._model(**inputs).logits.double().softmax(dim=1).numpy())


def read_classifier(package: Package) -> Classifier:
    """Load the model of a package.

    Raises:
        PackageRefused: if the files do not match the card, or the model is not on this machine.
    """
    try:
        return Classifier(package)
    except (KeyError, ValueError, OSError) as error:
        name = f"{package.name} {package.version}"
        raise PackageRefused(f"{name}: the model does not fit the card, or what it builds on is missing") from error

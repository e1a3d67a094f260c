"""Text model ``words``: a softmax over tf-idf weighted words and bigrams."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file

from apps.inference.packages.card import Package, PackageRefused

WEIGHTS = "words.safetensors"
VOCABULARY = "vocabulary.json"
WORD = re.compile(r"[^\W\d_][\w'-]*")
MAX_CHARACTERS = 20_000


@dataclass(frozen=True)
class Words:
    """A loaded text package.

    Attributes:
        indices: index by term: a word, or two words separated by a space.
        rarity: (terms,) inverse document frequency.
        weights: (labels, terms).
        bias: (labels,).
    """

    indices: dict[str, int]
    rarity: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    bias: npt.NDArray[np.float64]

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Class probabilities of texts, (n, labels)."""
        scores = np.stack([self._score(text) for text in texts])
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def _score(self, text: str) -> npt.NDArray[np.float64]:
        counts: dict[int, float] = {}
        for term in terms(text):
            index = self.indices.get(term)
            if index is not None:
                counts[index] = counts.get(index, 0.0) + 1.0
        if not counts:
            return self.bias
        at = np.fromiter(counts, dtype=np.int64)
        weighted = np.log1p(np.fromiter(counts.values(), dtype=np.float64)) * self.rarity[at]
        return np.asarray(self.bias + self.weights[:, at] @ (weighted / np.linalg.norm(weighted)))


def terms(text: str) -> list[str]:
    """Lowercase words and bigrams of a text."""
    words = [word.lower() for word in WORD.findall(text[:MAX_CHARACTERS])]
    return [*words, *(f"{first} {second}" for first, second in itertools.pairwise(words))]


def read_words(package: Package) -> Words:
    """Load the model of a package.

    Raises:
        PackageRefused: if the files are inconsistent with each other or the card.
    """
    try:
        stored = load_file(package.folder / WEIGHTS)
        vocabulary = json.loads((package.folder / VOCABULARY).read_text())
        words = Words({term: index for index, term in enumerate(vocabulary)}, **stored)
    except (SafetensorError, TypeError, ValueError, OSError) as error:
        raise PackageRefused(f"{package.name} {package.version}: {WEIGHTS} holds no text model") from error
    shape = (len(package.card["labels"]), len(words.indices))
    if words.weights.shape != shape or words.rarity.shape != shape[1:] or words.bias.shape != shape[:1]:
        raise PackageRefused(f"{package.name} {package.version}: the weights do not fit the card")
    return words

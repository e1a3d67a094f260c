"""Running a text package: ``words``, a linear model over weighted words and pairs of words."""

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
MAX_LETTERS = 20_000


@dataclass(frozen=True)
class Words:
    """A loaded text package.

    Attributes:
        places: word, or two words with a space between, to its place.
        rarity: (places,) inverse document frequency.
        weights: (labels, places).
        bias: (labels,).
    """

    places: dict[str, int]
    rarity: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    bias: npt.NDArray[np.float64]

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """(n, labels)."""
        scores = np.stack([self._score(text) for text in texts])
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def _score(self, text: str) -> npt.NDArray[np.float64]:
        found: dict[int, float] = {}
        for term in terms(text):
            place = self.places.get(term)
            if place is not None:
                found[place] = found.get(place, 0.0) + 1.0
        if not found:
            return self.bias
        at = np.fromiter(found, dtype=np.int64)
        weighted = np.log1p(np.fromiter(found.values(), dtype=np.float64)) * self.rarity[at]
        return np.asarray(self.bias + self.weights[:, at] @ (weighted / np.linalg.norm(weighted)))


def terms(text: str) -> list[str]:
    """Words in small letters and pairs of neighbours."""
    words = [word.lower() for word in WORD.findall(text[:MAX_LETTERS])]
    return [*words, *(f"{one} {two}" for one, two in itertools.pairwise(words))]


def read_words(package: Package) -> Words:
    """The package's model.

    Raises:
        PackageRefused: if the files do not fit each other or the card.
    """
    try:
        stored = load_file(package.folder / WEIGHTS)
        vocabulary = json.loads((package.folder / VOCABULARY).read_text())
        words = Words({term: place for place, term in enumerate(vocabulary)}, **stored)
    except (SafetensorError, TypeError, ValueError, OSError) as error:
        raise PackageRefused(f"{package.name} {package.version}: {WEIGHTS} holds no text model") from error
    shape = (len(package.card["labels"]), len(words.places))
    if words.weights.shape != shape or words.rarity.shape != shape[1:] or words.bias.shape != shape[:1]:
        raise PackageRefused(f"{package.name} {package.version}: the weights do not fit the card")
    return words

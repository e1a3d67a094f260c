"""SHAP for text: attributions of words.

The units are words, but a negation and its scope form one unit (after NegEx; Chapman et al., J Biomed Inform
2001): removing "no" from "no fever" would assert a fever. The ``shap`` library's text masker removes units; its
partition explainer computes Owen values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shap

Function = Callable[[Sequence[str]], npt.NDArray[np.float64]]
WORD = re.compile(r"\S+\s*")
NEGATION = re.compile(
    r"\b(?:no evidence of|no signs? of|negative for|denies|denied|without|absence of|not|no)\b", re.IGNORECASE
)
STOP = re.compile(r"[.;:,\n]|\b(?:but|however|except|although|and then|with)\b", re.IGNORECASE)
HIDDEN = " "
SCOPE_WORDS = 5
"""Maximum scope of a negation in words."""
SENTENCE = re.compile(r"[^.!?\n]+[.!?\n]*")


@dataclass(frozen=True)
class Unit:
    """A span of text that is visible or hidden as a whole.

    Attributes:
        text: including trailing white space.
        start: offset in the text.
        negated: whether it is a negation with its scope.
    """

    text: str
    start: int
    negated: bool = False


@dataclass(frozen=True)
class TextExplanation:
    """Attributions of units, (labels, units), in probability."""

    units: list[Unit]
    values: npt.NDArray[np.float64]
    base: npt.NDArray[np.float64]
    output: npt.NDArray[np.float64]
    evaluations: int

    @property
    def gaps(self) -> npt.NDArray[np.float64]:
        """Efficiency gap (labels,): base value plus attributions minus output."""
        return np.asarray(self.base + self.values.sum(axis=1) - self.output)

    def by_sentence(self) -> list[tuple[str, npt.NDArray[np.float64]]]:
        """Sentences with the sums of their units' attributions, (labels,) each."""
        text = "".join(unit.text for unit in self.units)
        sums = []
        for sentence in SENTENCE.finditer(text):
            inside = [sentence.start() <= unit.start < sentence.end() for unit in self.units]
            if sentence.group().strip():
                sums.append((sentence.group().strip(), self.values[:, inside].sum(axis=1)))
        return sums


def units_of(text: str) -> list[Unit]:
    """Split a text into contiguous units."""
    scopes = _scopes(text)
    units: list[Unit] = []
    offset = 0
    if leading := re.match(r"\s+", text):
        offset = leading.end()
    while offset < len(text):
        scope = next(((start, end) for start, end in scopes if start <= offset < end), None)
        if scope is not None:
            end = scope[1]
        else:
            following = min((start for start, _end in scopes if start > offset), default=len(text))
            word = WORD.match(text, offset)
            end = min(word.end() if word else len(text), following)
        units.append(Unit(text[offset:end], offset, scope is not None))
        offset = end
    if units and units[0].start:
        units[0] = Unit(text[: units[0].start] + units[0].text, 0, units[0].negated)
    return units


def explain(function: Function, text: str, *, evaluations: int = 500) -> TextExplanation:
    """Explain every label for one text.

    Args:
        function: texts to probabilities (n, labels).
        evaluations: maximum number of texts to evaluate.

    Raises:
        ValueError: if the text contains no word.
    """
    units = units_of(text)
    if not units:
        raise ValueError("there is no word in the text")
    evaluated = 0

    def counted(texts: Any) -> npt.NDArray[np.float64]:
        nonlocal evaluated
        evaluated += len(texts)
        return function([str(item) for item in texts])

    if len(units) == 1:
        ends = counted(["", text])
        return TextExplanation(units, (ends[1] - ends[0])[:, None], ends[0], ends[1], evaluated)

    def tokenizer(masked: str, return_offsets_mapping: bool = True) -> dict[str, Any]:
        pieces = units if masked == text else [Unit(masked, 0)] if masked == HIDDEN else units_of(masked)
        offsets = [(unit.start, unit.start + len(unit.text)) for unit in pieces]
        return {"input_ids": [unit.text for unit in pieces], "offset_mapping": offsets}

    masker = shap.maskers.Text(tokenizer, mask_token=HIDDEN, collapse_mask_token=False)
    explainer = shap.explainers.Partition(counted, masker)
    explained = explainer([text], max_evals=evaluations, silent=True)
    values = np.moveaxis(np.asarray(explained.values[0]), -1, 0)
    return TextExplanation(units, values, np.asarray(explained.base_values)[0], counted([text])[0], evaluated)


def _scopes(text: str) -> list[tuple[int, int]]:
    """Start and end offsets of negations including their scope."""
    scopes: list[tuple[int, int]] = []
    for negation in NEGATION.finditer(text):
        if scopes and negation.start() < scopes[-1][1]:
            continue
        stop = STOP.search(text, negation.end())
        end = stop.start() if stop else len(text)
        words = list(WORD.finditer(text, negation.end(), end))
        # The first match is the space after the negation, or the rest of its own word.
        if len(words) > SCOPE_WORDS:
            end = words[SCOPE_WORDS].start()
        while end < len(text) and text[end].isspace():
            end += 1
        scopes.append((negation.start(), end))
    return scopes

"""SHAP for text: which words made a model answer so.

The units are words, but a negation and what it governs are one unit (after NegEx; Chapman et al., J Biomed
Inform 2001): taking "no" away from "no fever" would make a fever of it, which nobody wrote. The ``shap``
library's text masker leaves units out; its partition explainer shares out the difference (Owen values).
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
"""A negation governs at most this many words."""
SENTENCE = re.compile(r"[^.!?\n]+[.!?\n]*")


@dataclass(frozen=True)
class Unit:
    """A piece of text that is seen or hidden as a whole.

    Attributes:
        text: with the space behind it.
        start: its first letter's place.
        negated: whether it is a negation with what it governs.
    """

    text: str
    start: int
    negated: bool = False


@dataclass(frozen=True)
class TextExplanation:
    """Attributions of units, (labels, units), in units of probability."""

    units: list[Unit]
    values: npt.NDArray[np.float64]
    base: npt.NDArray[np.float64]
    output: npt.NDArray[np.float64]
    evaluations: int

    @property
    def gaps(self) -> npt.NDArray[np.float64]:
        """Base value and attributions less the output, (labels,)."""
        return np.asarray(self.base + self.values.sum(axis=1) - self.output)

    def by_sentence(self) -> list[tuple[str, npt.NDArray[np.float64]]]:
        """Sentences with the sums of their units, (labels,) each."""
        text = "".join(unit.text for unit in self.units)
        found = []
        for sentence in SENTENCE.finditer(text):
            inside = [sentence.start() <= unit.start < sentence.end() for unit in self.units]
            if sentence.group().strip():
                found.append((sentence.group().strip(), self.values[:, inside].sum(axis=1)))
        return found


def units_of(text: str) -> list[Unit]:
    """The text in pieces that follow each other without a gap."""
    scopes = _scopes(text)
    units: list[Unit] = []
    place = 0
    if leading := re.match(r"\s+", text):
        place = leading.end()
    while place < len(text):
        scope = next(((start, end) for start, end in scopes if start <= place < end), None)
        if scope is not None:
            end = scope[1]
        else:
            following = min((start for start, _end in scopes if start > place), default=len(text))
            word = WORD.match(text, place)
            end = min(word.end() if word else len(text), following)
        units.append(Unit(text[place:end], place, scope is not None))
        place = end
    if units and units[0].start:
        units[0] = Unit(text[: units[0].start] + units[0].text, 0, units[0].negated)
    return units


def explain(function: Function, text: str, *, evaluations: int = 500) -> TextExplanation:
    """Explain every label for one text.

    Args:
        function: texts to (n, labels) probabilities.

    Raises:
        ValueError: if the text holds no word.
    """
    units = units_of(text)
    if not units:
        raise ValueError("there is no word in the text")
    asked = 0

    def counted(texts: Any) -> npt.NDArray[np.float64]:
        nonlocal asked
        asked += len(texts)
        return function([str(one) for one in texts])

    if len(units) == 1:
        ends = counted(["", text])
        return TextExplanation(units, (ends[1] - ends[0])[:, None], ends[0], ends[1], asked)

    def tokenizer(given: str, return_offsets_mapping: bool = True) -> dict[str, Any]:
        pieces = units if given == text else [Unit(given, 0)] if given == HIDDEN else units_of(given)
        offsets = [(unit.start, unit.start + len(unit.text)) for unit in pieces]
        return {"input_ids": [unit.text for unit in pieces], "offset_mapping": offsets}

    masker = shap.maskers.Text(tokenizer, mask_token=HIDDEN, collapse_mask_token=False)
    explainer = shap.explainers.Partition(counted, masker)
    found = explainer([text], max_evals=evaluations, silent=True)
    values = np.moveaxis(np.asarray(found.values[0]), -1, 0)
    return TextExplanation(units, values, np.asarray(found.base_values)[0], counted([text])[0], asked)


def _scopes(text: str) -> list[tuple[int, int]]:
    """Where negations and what they govern begin and end."""
    found: list[tuple[int, int]] = []
    for negation in NEGATION.finditer(text):
        if found and negation.start() < found[-1][1]:
            continue
        stop = STOP.search(text, negation.end())
        end = stop.start() if stop else len(text)
        words = list(WORD.finditer(text, negation.end(), end))
        # The first piece is the space behind the negation, or the rest of its own word.
        if len(words) > SCOPE_WORDS:
            end = words[SCOPE_WORDS].start()
        while end < len(text) and text[end].isspace():
            end += 1
        found.append((negation.start(), end))
    return found

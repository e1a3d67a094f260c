"""Extractive summarisation with LexRank (Erkan and Radev, JAIR 2004) and redundancy removal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DAMPING, ROUNDS = 0.85, 60
MIN_SIMILARITY = 0.15
"""Cosine similarity below this counts as zero."""
MAX_REDUNDANCY = 0.8
"""A sentence with this cosine similarity to a selected one is redundant and skipped."""
SECTION_WEIGHTS = {
    "impression": 2.0,
    "plan": 1.4,
    "complaint": 1.4,
    "findings": 1.2,
    "exam": 0.7,
    "social": 0.5,
    "family": 0.5,
    "review": 0.6,
}
"""Prior weight of a section's sentences; 1 for other sections."""
MIN_CHARACTERS, MAX_CHARACTERS = 12, 400


@dataclass(frozen=True)
class Sentence:
    """A sentence and its source: ``[start, end)`` of the note's text."""

    text: str
    note: str
    start: int
    end: int
    section: str = ""


def summarise(sentences: list[Sentence], vectors: npt.NDArray[np.floating], *, most: int = 6) -> list[int]:
    """Select the most central sentences; return their indices in document order.

    Args:
        vectors: (sentences, width), unit length.
        most: maximum number of sentences.
    """
    usable = [index for index, row in enumerate(sentences) if MIN_CHARACTERS <= len(row.text.strip()) <= MAX_CHARACTERS]
    if not usable:
        return []
    table = np.asarray(vectors, dtype=np.float64)[usable]
    similarity = np.clip(table @ table.T, 0, None)
    similarity[similarity < MIN_SIMILARITY] = 0
    np.fill_diagonal(similarity, 0)
    prior = np.array([SECTION_WEIGHTS.get(sentences[index].section, 1.0) for index in usable])
    prior /= prior.sum()
    sums = similarity.sum(axis=1, keepdims=True)
    transitions = np.where(sums > 0, similarity / np.where(sums > 0, sums, 1), prior[None])
    rank = prior.copy()
    for _ in range(ROUNDS):
        rank = (1 - DAMPING) * prior + DAMPING * transitions.T @ rank
    rank *= prior**0.5
    chosen: list[int] = []
    for index in np.argsort(-rank):
        if all(table[index] @ table[other] < MAX_REDUNDANCY for other in chosen):
            chosen.append(int(index))
        if len(chosen) == most:
            break
    return sorted(usable[index] for index in chosen)


@dataclass(frozen=True)
class Claim:
    """A statement of an abstractive summary, the indices of its cited sentences, and whether they support it."""

    text: str
    cites: list[int]
    supported: bool

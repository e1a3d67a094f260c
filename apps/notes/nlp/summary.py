"""A case in a few sentences: those that the others resemble most, each once (LexRank; Erkan and Radev, JAIR 2004)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DAMPING, ROUNDS = 0.85, 60
FLOOR = 0.15
"""Likeness below this counts as none."""
ALIKE = 0.8
"""A sentence as like another one that was chosen is left out."""
PULL = {
    "impression": 2.0,
    "plan": 1.4,
    "complaint": 1.4,
    "findings": 1.2,
    "exam": 0.7,
    "social": 0.5,
    "family": 0.5,
    "review": 0.6,
}
"""How much a section's sentences count beside others."""
SHORTEST, LONGEST = 12, 400


@dataclass(frozen=True)
class Sentence:
    """A sentence with where it stands: letters from ``start`` to before ``end`` of its note."""

    text: str
    note: str
    start: int
    end: int
    section: str = ""


def summarise(sentences: list[Sentence], vectors: npt.NDArray[np.floating], *, most: int = 6) -> list[int]:
    """The places of the sentences that say most, in their own order.

    Args:
        vectors: (sentences, width) of length 1.
    """
    usable = [place for place, one in enumerate(sentences) if SHORTEST <= len(one.text.strip()) <= LONGEST]
    if not usable:
        return []
    table = np.asarray(vectors, dtype=np.float64)[usable]
    likeness = np.clip(table @ table.T, 0, None)
    likeness[likeness < FLOOR] = 0
    np.fill_diagonal(likeness, 0)
    pull = np.array([PULL.get(sentences[place].section, 1.0) for place in usable])
    pull /= pull.sum()
    sums = likeness.sum(axis=1, keepdims=True)
    steps = np.where(sums > 0, likeness / np.where(sums > 0, sums, 1), pull[None])
    rank = pull.copy()
    for _ in range(ROUNDS):
        rank = (1 - DAMPING) * pull + DAMPING * steps.T @ rank
    rank *= pull**0.5
    chosen: list[int] = []
    for place in np.argsort(-rank):
        if all(table[place] @ table[other] < ALIKE for other in chosen):
            chosen.append(int(place))
        if len(chosen) == most:
            break
    return sorted(usable[place] for place in chosen)


@dataclass(frozen=True)
class Claim:
    """A statement of an abstractive summary with the sentences that it cites, and whether they bear it."""

    text: str
    cites: list[int]
    supported: bool

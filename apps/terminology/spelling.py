"""Known words that a misspelt word may mean: Damerau-Levenshtein distance 1, and 2 for long words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

SHORTEST = 5
"""Words with fewer letters have too many neighbours to correct."""
LONG = 8
"""Words with at least as many letters may have two errors."""


class Vocabulary:
    """Words for spelling correction.

    Args:
        words: in small letters, as ``names.key_of`` folds them.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._words: dict[tuple[str, int], list[str]] = defaultdict(list)
        for word in words:
            self._words[word[:1], len(word)].append(word)

    def near(self, word: str) -> list[tuple[int, str]]:
        """The nearest known words with their distance; several if they are equally near, none if none is near.

        The first letter must be right, or exchanged with the second, or the rest of the word must be exact.
        """
        if len(word) < SHORTEST or any(character.isdigit() for character in word):
            return []
        limit = 2 if len(word) >= LONG else 1
        found: list[tuple[int, str]] = []
        for first in {word[0], word[1]}:
            for length in range(len(word) - limit, len(word) + limit + 1):
                for known in self._words.get((first, length), ()):
                    distance = distance_between(word, known, limit)
                    if distance <= limit:
                        found.append((distance, known))
        nearest = min((distance for distance, _known in found), default=0)
        return sorted({row for row in found if row[0] == nearest})


def distance_between(left: str, right: str, limit: int) -> int:
    """Damerau-Levenshtein distance (adjacent exchange counts one); ``limit + 1`` if it is greater than the limit."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    previous = list(range(len(right) + 1))
    for row, character in enumerate(left, 1):
        current = [row] + [0] * len(right)
        for column, other in enumerate(right, 1):
            best = min(previous[column] + 1, current[column - 1] + 1, previous[column - 1] + (character != other))
            if row > 1 and column > 1 and character == right[column - 2] and left[row - 2] == other:
                best = min(best, before[column - 2] + 1)
            current[column] = best
        if min(current) > limit:
            return limit + 1
        before, previous = previous, current
    return previous[-1]

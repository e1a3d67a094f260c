"""Phrases in running text: a tree of words in which the longest phrase wins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

_VALUE = ""
Value = TypeVar("Value")


class Phrases(Generic[Value]):
    """Phrases and their values.

    Args:
        rows: phrases, split into tokens, with their values; of two equal phrases the first one counts.
    """

    def __init__(self, rows: Iterable[tuple[list[str], Value]]) -> None:
        self._root: dict[str, Any] = {}
        for words, value in rows:
            node = self._root
            for word in words:
                node = node.setdefault(word, {})
            node.setdefault(_VALUE, value)

    def find(self, words: list[str], start: int = 0, end: int | None = None) -> Iterator[tuple[int, int, Value]]:
        """Yield (first token, end token, value) of the phrases in ``words[start:end]``, longest first, no overlaps."""
        stop, root, free = len(words) if end is None else end, self._root, start
        for index in [place for place in range(start, stop) if words[place] in root]:
            if index < free:
                continue
            node, best, position = root[words[index]], None, index + 1
            while node is not None:
                if _VALUE in node:
                    best = (position, node[_VALUE])
                node = node.get(words[position]) if position < stop else None
                position += 1
            if best is not None:
                free = best[0]
                yield index, best[0], best[1]

"""Differences between two texts."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """A piece of a comparison; ``how`` is ``same``, ``removed`` or ``added``."""

    how: str
    text: str


_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
MAX_WORD_DIFF_CHARACTERS = 40_000
"""Longer texts are compared line by line instead of word by word."""


def difference(old: str, new: str) -> list[Piece]:
    """Return the pieces of ``new`` and ``old`` marked as same, removed or added."""
    long = max(len(old), len(new)) > MAX_WORD_DIFF_CHARACTERS
    left, right = (text.splitlines(keepends=True) if long else _WORDS.findall(text) for text in (old, new))
    pieces = []
    for how, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if how == "equal":
            pieces.append(Piece("same", "".join(left[a:b])))
            continue
        pieces += [Piece(name, "".join(part)) for name, part in (("removed", left[a:b]), ("added", right[c:d])) if part]
    return pieces

"""What changed between two texts."""

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
LONGEST_COMPARISON = 40_000
"""Letters up to which words are compared; longer texts are compared line by line."""


def difference(old: str, new: str) -> list[Piece]:
    """What was removed and added."""
    long = max(len(old), len(new)) > LONGEST_COMPARISON
    left, right = (text.splitlines(keepends=True) if long else _WORDS.findall(text) for text in (old, new))
    pieces = []
    for how, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if how == "equal":
            pieces.append(Piece("same", "".join(left[a:b])))
            continue
        pieces += [Piece(name, "".join(part)) for name, part in (("removed", left[a:b]), ("added", right[c:d])) if part]
    return pieces

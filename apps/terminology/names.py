"""Names in text: one spelling of a name for look-up, and the longest known names in running text.

A name is looked up by its tokens (runs of letters and digits), in small letters, without apostrophes and accents of
width, so that "Co-Trimoxazole", "co trimoxazole" and "CO-TRIMOXAZOLE" are one name. Chinese characters are tokens of
their own and stand together in the look-up key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

HAN: Final = "\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{HAN}]|(?:[^\W_{HAN}]|(?<=\w)['’](?=\w))+")
_HAN = re.compile(rf"[{HAN}]")
_BREAK = re.compile(r"[;:!?\n()\[\]。；：！？，、（）【】|]|\.(?=\s+[^\W\d])|,\s|\s[-–—]\s")
"""What ends a name: punctuation that stands between two names and never inside one."""


class Token(NamedTuple):
    """A token with its key and its place in the text."""

    key: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """Split a text into tokens with their offsets."""
    return [Token(_fold(match.group()), match.start(), match.end()) for match in _TOKEN.finditer(text)]


def key_of(text: str) -> str:
    """Look-up key of a name: folded tokens, separated by spaces except between Chinese characters."""
    return joined(token.key for token in tokens_of(text))


def joined(keys: Iterable[str]) -> str:
    """Join folded tokens to a look-up key."""
    parts: list[str] = []
    was_han = True
    for key in keys:
        is_han = bool(_HAN.match(key))
        if parts and not (is_han or was_han):
            parts.append(" ")
        parts.append(key)
        was_han = is_han
    return "".join(parts)


def is_chinese(text: str) -> bool:
    """Whether the text has a Chinese character."""
    return bool(_HAN.search(text))


def _fold(word: str) -> str:
    if word.isalnum() and word.isascii():
        return word.lower()
    if not word.isascii():
        word = unicodedata.normalize("NFKC", word).replace("’", "")
        decomposed = unicodedata.normalize("NFD", word)
        word = "".join(character for character in decomposed if not unicodedata.combining(character))
    return word.replace("'", "").casefold()


class NameIndex:
    """Names by key, for the longest match in running text.

    The first two tokens of a name say how long a name may be, so that most places of a text are passed at once.

    Args:
        keys: look-up keys as ``key_of`` makes them.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self.keys = frozenset(keys)
        self._lengths: dict[str, dict[str, int]] = {}
        for key in self.keys:
            parts = key.split(" ") if key.isascii() else [token.key for token in tokens_of(key)]
            if parts:
                after = self._lengths.setdefault(parts[0], {})
                second = parts[1] if len(parts) > 1 else ""
                after[second] = max(after.get(second, 0), len(parts))

    def longest_names(
        self, text: str, tokens: list[Token], accepts: Callable[[str, int, int], bool]
    ) -> Iterator[tuple[int, int, str]]:
        """Yield the longest accepted names as (first token, token after the last, key), left to right, disjoint.

        Args:
            accepts: is asked with the key and the character offsets of a known name.
        """
        position = 0
        while position < len(tokens):
            after = self._lengths.get(tokens[position].key)
            name = self._longest_at(text, tokens, position, after, accepts) if after else None
            if name:
                yield position, *name
            position = name[0] if name else position + 1

    def _longest_at(
        self,
        text: str,
        tokens: list[Token],
        position: int,
        after: dict[str, int],
        accepts: Callable[[str, int, int], bool],
    ) -> tuple[int, str] | None:
        """The token after the longest name that begins here, and its key."""
        following = tokens[position + 1].key if position + 1 < len(tokens) else ""
        longest = after.get(following, 1 if "" in after else 0)
        for length in range(min(longest, len(tokens) - position), 0, -1):
            key = joined(token.key for token in tokens[position : position + length])
            start, end = tokens[position].start, tokens[position + length - 1].end
            if key in self.keys and not (length > 1 and _is_interrupted(text, start, end)) and accepts(key, start, end):
                return position + length, key
        return None


def _is_interrupted(text: str, start: int, end: int) -> bool:
    return bool(_BREAK.search(text, start, end)) and not _HAN.match(text[start])

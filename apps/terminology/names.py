"""Names in text: one spelling of a name for look-up, and the longest known names in running text.

A name is looked up by its tokens (runs of letters and digits), in small letters, without apostrophes and accents of
width, so that "Co-Trimoxazole", "co trimoxazole" and "CO-TRIMOXAZOLE" are one name. Chinese characters are tokens of
their own and stand together in the look-up key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

HAN: Final = "\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{HAN}]|(?:[^\W_{HAN}]|(?<=\w)['’](?=\w))+")
_HAN = re.compile(rf"[{HAN}]")
_BREAK = re.compile(r"[;:!?\n()\[\]。；：！？，、（）【】|]|\.(?=\s+[^\W\d])|,\s|\s[-–—]\s")
"""What ends a name: punctuation that stands between two names and never inside one."""


@dataclass(frozen=True, slots=True)
class Token:
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
    if not word.isascii():
        word = unicodedata.normalize("NFKC", word).replace("’", "")
        decomposed = unicodedata.normalize("NFD", word)
        word = "".join(character for character in decomposed if not unicodedata.combining(character))
    return word.replace("'", "").casefold()


class NameIndex:
    """Names by key, for the longest match in running text.

    Args:
        keys: look-up keys as ``key_of`` makes them.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self.keys = frozenset(keys)
        self._longest: dict[str, int] = {}
        for key in self.keys:
            if _HAN.match(key):
                first, length = key[0], len(key)
            else:
                first, _separator, rest = key.partition(" ")
                length = 1 + rest.count(" ") + 1 if rest else 1
                if not key.isascii():
                    tokens = [token.key for token in tokens_of(key)]
                    first, length = tokens[0], len(tokens)
            if length > self._longest.get(first, 0):
                self._longest[first] = length

    def longest_names(
        self, text: str, tokens: list[Token], accepts: Callable[[str, int, int], bool]
    ) -> Iterator[tuple[int, int, str]]:
        """Yield the longest accepted names as (first token, token after the last, key), left to right, disjoint.

        Args:
            accepts: is asked with the key and the character offsets of a known name.
        """
        position = 0
        while position < len(tokens):
            for length in range(min(self._longest.get(tokens[position].key, 0), len(tokens) - position), 0, -1):
                key = joined(token.key for token in tokens[position : position + length])
                if key not in self.keys:
                    continue
                start, end = tokens[position].start, tokens[position + length - 1].end
                if length > 1 and _BREAK.search(text, start, end) and not _HAN.match(key):
                    continue
                if accepts(key, start, end):
                    yield position, position + length, key
                    position += length
                    break
            else:
                position += 1

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
    """A token with its key and its place in the text; a tuple, as notes have very many."""

    key: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """Split a text into tokens with their offsets."""
    if text.isascii():  # most notes: there is nothing to normalise
        found = _TOKEN.finditer(text.lower())
        return [Token(match[0].replace("'", ""), match.start(), match.end()) for match in found]
    return [Token(_fold(match[0]), match.start(), match.end()) for match in _TOKEN.finditer(text)]


def key_of(text: str) -> str:
    """Look-up key of a name: folded tokens, separated by spaces except between Chinese characters."""
    return joined(token.key for token in tokens_of(text))


def joined(keys: Iterable[str]) -> str:
    """Join folded tokens to a look-up key."""
    keys = list(keys)
    spaced = " ".join(keys)
    if spaced.isascii():
        return spaced
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
        self._lengths: dict[str, dict[str, set[int]]] = {}
        """Numbers of tokens of the names that begin with two tokens; the second one is empty for a single token."""
        for key in self.keys:
            words = key.split(" ") if key.isascii() else [token.key for token in tokens_of(key)]
            seconds = self._lengths.setdefault(words[0], {})
            seconds.setdefault(words[1] if len(words) > 1 else "", set()).add(len(words))

    def longest_names(
        self, text: str, tokens: list[Token], accepts: Callable[[str, int, int], bool]
    ) -> Iterator[tuple[int, int, str]]:
        """Yield the longest accepted names as (first token, token after the last, key), left to right, disjoint.

        Args:
            accepts: is asked with the key and the character offsets of a known name.
        """
        position, keys = 0, [token.key for token in tokens]
        while position < len(keys):
            seconds = self._lengths.get(keys[position])
            length = self._length(text, tokens, keys, position, seconds, accepts) if seconds else 0
            if length:
                yield position, position + length, joined(keys[position : position + length])
            position += length or 1

    def _length(
        self,
        text: str,
        tokens: list[Token],
        keys: list[str],
        position: int,
        seconds: dict[str, set[int]],
        accepts: Callable[[str, int, int], bool],
    ) -> int:
        """Number of tokens of the longest accepted name at a position; 0 if there is none."""
        lengths = seconds.get(keys[position + 1], set()) if position + 1 < len(keys) else set()
        for length in sorted(lengths | seconds.get("", set()), reverse=True):
            if length > len(keys) - position:
                continue
            key = joined(keys[position : position + length])
            if key not in self.keys:
                continue
            start, end = tokens[position].start, tokens[position + length - 1].end
            if length > 1 and _BREAK.search(text, start, end) and not _HAN.match(key):
                continue
            if accepts(key, start, end):
                return length
        return 0

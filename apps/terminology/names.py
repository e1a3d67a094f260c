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
    if text.isascii():  # most notes: there is nothing to normalise, and no need of match objects
        lower, position, found = text.lower(), 0, []
        for word in _TOKEN.findall(lower):
            position = lower.index(word, position)
            found.append(Token(word.replace("'", ""), position, position + len(word)))
            position += len(word)
        return found
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
        keys, free = [*(token.key for token in tokens), ""], 0
        for position in [place for place, key in enumerate(keys[:-1]) if key in self._lengths]:
            seconds = self._lengths[keys[position]]
            if position < free or not (keys[position + 1] in seconds or "" in seconds):
                continue
            length = self._length(text, tokens, keys, position, accepts)
            if length:
                free = position + length
                yield position, free, joined(keys[position:free])

    def _length(
        self,
        text: str,
        tokens: list[Token],
        keys: list[str],
        position: int,
        accepts: Callable[[str, int, int], bool],
    ) -> int:
        """Number of tokens of the longest accepted name at a position; 0 if there is none."""
        seconds = self._lengths[keys[position]]
        lengths = seconds.get(keys[position + 1], set()) | seconds.get("", set())
        for length in sorted(lengths, reverse=True):
            if length > len(tokens) - position:
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

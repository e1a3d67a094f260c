"""Readability of English text: the Flesch-Kincaid grade level (Kincaid et al. 1975).

Grade = 0.39 words per sentence + 11.8 syllables per word - 15.59, in US school years. Syllable counts come from the CMU
Pronouncing Dictionary, those of unlisted words from hyphenation. (textstat does the same, but fails on words missing
from the dictionary, such as "X-ray".)
"""

from __future__ import annotations

import gzip
import re
from functools import lru_cache
from pathlib import Path

import pyphen

MAX_GRADE = 8.0
"""Maximum grade level of texts for patients."""
_SYLLABLES = Path(__file__).parent / "cmudict/syllables.txt.gz"
_WORDS = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?")
_ENDS = re.compile(r"[.!?]+(?:\s|$)")


def grade(text: str) -> float:
    """The grade level; at least 0, and 0 for a text without words."""
    words = _WORDS.findall(text)
    if not words:
        return 0.0
    sentences = max(1, len([part for part in _ENDS.split(text) if _WORDS.search(part)]))
    syllables = sum(_syllables(word.casefold()) for word in words)
    return max(0.0, 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59)


@lru_cache(maxsize=4096)
def _syllables(word: str) -> int:
    known = _dictionary().get(word) or _dictionary().get(word.removesuffix("'s"))
    return known or len(_hyphens().positions(word)) + 1


@lru_cache(maxsize=1)
def _dictionary() -> dict[str, int]:
    """Syllable count by word; see ``cmudict/README.md`` for the source."""
    words: dict[str, int] = {}
    for line in gzip.decompress(_SYLLABLES.read_bytes()).decode().splitlines():
        count, *spelled = line.split(" ")
        words.update(dict.fromkeys(spelled, int(count)))
    return words


@lru_cache(maxsize=1)
def _hyphens() -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="en_US")

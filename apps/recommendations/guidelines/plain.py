"""How hard an English text is to read: the Flesch-Kincaid grade (Kincaid et al. 1975).

Grade = 0.39 words a sentence + 11.8 syllables a word - 15.59: the years of school in the United States after which a
text is understood. Syllables come from the CMU Pronouncing Dictionary, those of other words from hyphenation. (textstat
does the same, but fails on words that the dictionary lacks, such as "X-ray".)
"""

from __future__ import annotations

import gzip
import re
from functools import lru_cache
from pathlib import Path

import pyphen

HARDEST = 8.0
"""The grade that patient texts may reach."""
_SYLLABLES = Path(__file__).parent / "cmudict/syllables.txt.gz"
_WORDS = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?")
_ENDS = re.compile(r"[.!?]+(?:\s|$)")


def grade(text: str) -> float:
    """Years of school; 0 for what is easier than the first, and for a text without words."""
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
    """Syllables by word; ``cmudict/README.md`` says where they come from."""
    words: dict[str, int] = {}
    for line in gzip.decompress(_SYLLABLES.read_bytes()).decode().splitlines():
        count, *spelled = line.split(" ")
        words.update(dict.fromkeys(spelled, int(count)))
    return words


@lru_cache(maxsize=1)
def _hyphens() -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="en_US")

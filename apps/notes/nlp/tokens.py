"""Words and sentences of a note, with their places in the text; English words, Chinese characters."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

_IDEOGRAPHS = re.compile(r"[\u3400-\u9fff]")
_WORDS = re.compile(r"[A-Za-z]{2,}")
_TOKEN = re.compile(
    r"[A-Za-z\u00c0-\u024f](?:[A-Za-z0-9\u00c0-\u024f]|['’](?=[a-z]))*|\d+(?:[.,]\d+)*|[\u3400-\u9fff]|\S", re.ASCII
)
_YEAR = re.compile(r"(?:19|20)\d\d$")
YEAR, NUMBER = "<year>", "<n>"
"""How triggers write any year and any other number."""
_NUMBER_WORDS = frozenset(
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "several", "few", "many", "couple"]
)

MAX_SENTENCE = 1500
"""Characters; the work on a sentence grows with the square of its length."""
_DIGITS = frozenset("0123456789")
_NO_STOP_AFTER = re.compile(
    r"(?:\b(?:dr|mr|mrs|ms|vs|approx|e\.g|i\.e|no|st|fig|inc|dept|temp|resp|wt|ht|p\.o|i\.v|i\.m|q\.d|b\.i\.d|t\.i\.d|q\.i\.d|"
    r"p\.r\.n|q\.h\.s|a\.m|p\.m|h\.s|jr|sr|prof|mg|ml|etc|incl)|(?:^|(?<=\s))[A-Za-z])$",
    re.IGNORECASE,
)
"""Abbreviations after whose full stop a sentence goes on, unless a new line or a heading follows."""
_END = re.compile(r"[.!?]+[\"')\]]*(?:,(?=[A-Z\d])|(?=\s|$|[A-Z]))|[。！？]+|\n")
_NEW_LINE = re.compile(r"[ \t\r]*(?:$|\n|[A-Z\d•*☐☑√+-]|[([]\s?[xX√✓]?\s?[)\]]|[\u3400-\u9fff])")


@dataclass(frozen=True)
class Tokens:
    """The tokens of a text.

    Attributes:
        words: in lowercase.
        keys: as triggers match them: numbers are YEAR or NUMBER.
        starts, ends: offsets in the text.
    """

    words: list[str]
    keys: list[str]
    starts: list[int]
    ends: list[int]

    def at(self, offset: int) -> int:
        """Index of the first token that starts at the offset or after it."""
        return bisect_left(self.starts, offset)


def language_of(text: str) -> str:
    """``zh`` if the text has more ideographs than Latin words, else ``en``."""
    if text.isascii():
        return "en"
    return "zh" if len(_IDEOGRAPHS.findall(text)) > len(_WORDS.findall(text)) else "en"


def tokens(text: str) -> Tokens:
    """Split a text into words, numbers, ideographs and punctuation marks."""
    lower = text.replace("’", "'").lower()
    if len(lower) != len(text):  # "İ" gets longer
        lower = text.replace("’", "'")
    words, starts, position = _TOKEN.findall(lower), [], 0
    for word in words:  # faster than match objects, of which there are very many
        position = lower.index(word, position)
        starts.append(position)
        position += len(word)
    ends = [start + len(word) for start, word in zip(starts, words, strict=True)]
    words = [word.lower() for word in words] if len(text.lower()) != len(text) else words
    keys = [_key(word) if word in _NUMBER_WORDS or word[0] in _DIGITS else word for word in words]
    return Tokens(words, keys, starts, ends)


def _key(word: str) -> str:
    return YEAR if _YEAR.match(word) else NUMBER


def sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence; white space around them belongs to none.

    A full stop ends a sentence unless it belongs to an abbreviation; a new line does if the next line begins like a
    sentence, a heading or an item of a list ("wrapped\\nlines" go on).
    """
    rows, start = [], 0
    for match in _END.finditer(text):
        if match.start() < start or not _ends(text, match, start):
            continue
        rows.append((start, match.end()))
        start = match.end()
    rows.append((start, len(text)))
    parts = [part for row in rows for part in _cut(text, *row)]
    return [row for row in (_trimmed(text, *row) for row in parts) if row[0] < row[1]]


def _cut(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut what is too long for a sentence at a space: a table without line ends, a text without punctuation."""
    rows = []
    while end - start > MAX_SENTENCE:
        space = text.rfind(" ", start + MAX_SENTENCE // 2, start + MAX_SENTENCE)
        rows.append((start, space if space > 0 else start + MAX_SENTENCE))
        start = rows[-1][1]
    return [*rows, (start, end)]


def _ends(text: str, match: re.Match[str], start: int) -> bool:
    if match[0] == "\n":
        return bool(_NEW_LINE.match(text, match.end()))
    if match[0] == ".":
        before, after = text[max(start, match.start() - 12) : match.start()], text[match.end() : match.end() + 3]
        if before[-1:].isdigit() and after[:1].isalpha():  # "2.Next" is an item of a list, "1.5" has no space
            return not before.strip().isdigit()
        if _NO_STOP_AFTER.search(before):
            answer = before.lower().endswith("no") and not after.strip()[:1].isdigit()  # "Diabetes: No. Next"
            return answer or after.startswith("\n") or not after.strip() or _starts_clause(before, after)
        if after[:1].isspace() and before.strip().isdigit() and len(before.strip()) <= 2:
            return False  # "1. First item"
    return True


def _starts_clause(before: str, after: str) -> bool:
    """Whether a capital letter after a unit or an abbreviation of a dose begins a new sentence ("5 mg. Takes")."""
    dosing = re.search(
        r"(?:mg|ml|etc|p\.o|i\.v|i\.m|q\.d|b\.i\.d|t\.i\.d|q\.i\.d|p\.r\.n|q\.h\.s|a\.m|p\.m|h\.s)$", before, re.I
    )
    return bool(dosing and after.strip()[:1].isupper())


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end

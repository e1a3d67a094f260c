"""What a note says of a finding beside its name: side, organ, size, date, and how it compares with earlier.

Only what stands in the same part of the sentence counts, and of several words the nearest; what is not said stays out.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from apps.notes.nlp.phrases import Phrases
from apps.notes.nlp.tokens import Tokens, tokens

ORGANS_FILE = Path(__file__).parent / "organs.tsv"
LEFT, RIGHT, BILATERAL = "left", "right", "bilateral"
NEW, LARGER, SMALLER, UNCHANGED, IMPROVED, WORSE = "new", "larger", "smaller", "unchanged", "improved", "worse"
COMPARISONS = (NEW, LARGER, SMALLER, UNCHANGED, IMPROVED, WORSE)
NAMES = ("laterality", "organ", "size", "date", "comparison")
REACH = 60
"""Characters on each side of a finding that are searched."""
_CUTS = re.compile(
    r"[.;。；\n]|[,，、]\s*(?:and|but|with|while|no|without|which|there)\b|\b(?:but|while|whereas|however|denies|without)\b|[，、](?![^，。；]{0,12}(?:大小|直径|约\d|较前))|但"
)
"""Where what is said of a finding ends."""
_JOINTS = re.compile(r"[,，、]|\b(?:and|with|or|plus)\b|和|及|伴")
_SINCE_WHEN = re.compile(
    r"\b(?:unchanged|stable|compared|comparison|prior|previous|until|performed|underwent|done|surgery)\b[^.;]{0,20}$|较|对比",
    re.IGNORECASE,
)
"""Before a date: that of an earlier finding, or of a procedure."""
_SIDES = (
    (BILATERAL, r"bilateral(?:ly)?|both(?=\s+(?:\w+\s+)?\w+s\b)|双侧|两侧|双(?=[肺眼耳肾膝下上足手乳髋肩])"),
    (
        LEFT,
        r"(?<!\bhas )(?<!\bhad )(?<!\bhave )(?<!\bshe )(?<!\bhe )left(?:[- ]sided)?(?!\s+(?:the|with|against|at|her|his|for|untreated|over|alone|home)\b)|左侧?",
    ),
    (RIGHT, r"right(?:[- ]sided)?(?!\s+(?:now|away|after|before|when|handed|to)\b)(?!-handed)|右侧?"),
)
_SIDE = re.compile(
    "|".join(rf"(?P<{name}>(?<![A-Za-z])(?:{words})(?![A-Za-z]))" for name, words in _SIDES), re.IGNORECASE
)
_COMPARED = {
    NEW: r"new(?:ly)?(?:[- ]onset)?(?!\s+(?:york|patient|born|medication))|新发|新出现|新增",
    LARGER: r"larger|enlarging|increas(?:ed|ing) in size|grown|increased in size|较前增大|较前明显增大",
    SMALLER: r"smaller|shrinking|decreas(?:ed|ing) in size|较前缩小|较前减小|较前明显缩小",
    UNCHANGED: r"unchanged|stable(?! condition)|not (?:significantly )?changed|without (?:significant )?change|no (?:significant |interval )?change|"
    r"较前(?:无明显变化|相仿|变化不大|稳定)|同前",
    IMPROVED: r"improv(?:ed|ing)|resolving|better|较前(?:明显)?(?:好转|吸收|减轻|减少|改善)",
    WORSE: r"worsen(?:ed|ing)|worse|progress(?:ed|ing|ive)|increas(?:ed|ing)(?! in size)|较前(?:明显)?(?:加重|进展|增多)",
}
_COMPARISON = re.compile(
    "|".join(rf"(?P<{name}>(?<![A-Za-z])(?:{words})(?![A-Za-z]))" for name, words in _COMPARED.items()), re.IGNORECASE
)
_SIDE_HINT = re.compile(r"left|right|bilateral|both|[左右双两]", re.IGNORECASE)
_COMPARISON_HINT = re.compile(
    r"\b(?:new|larg|enlarg|incr|grown|small|shrink|decr|unch|stable|no[t ]|without|impro|resolv|bett|wors|progr)|[较新同]",
    re.IGNORECASE,
)
_DATE_HINT = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d/\d")
"""Fast patterns: where none of their matches stands nearby, nothing is looked for."""
_MONTHS = {
    month: number
    for number, months in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august", "sep sept september",
         "oct october", "nov november", "dec december"), 1
    )
    for month in months.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATE = re.compile(
    rf"(?P<iso>\b(?:19|20)\d\d-\d{{1,2}}-\d{{1,2}}\b)|(?P<zh>(?:19|20)\d\d年(?:\d{{1,2}}月(?:\d{{1,2}}日)?)?)|"
    rf"\b(?:(?P<month>{_MONTH})\.?\s+(?:of\s+)?(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+)?(?P<year>(?:19|20)\d\d))\b|"
    rf"(?P<written>\b\d{{1,2}}/\d{{1,2}}/(?:\d{{4}}|\d{{2}})\b)|\b(?:in|since|from)\s+(?P<only>(?:19|20)\d\d)\b|\((?P<braced>(?:19|20)\d\d)\)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Span:
    """A piece of the text with what it says."""

    start: int
    end: int
    value: str


@cache
def organs() -> dict[str, dict[str, str]]:
    """The title of each organ by language, by its English name."""
    return {name: {"en": name, "zh-hans": chinese[0]} for name, _english, chinese in _rows()}


def _rows() -> list[tuple[str, list[str], list[str]]]:
    lines = [line for line in ORGANS_FILE.read_text().splitlines() if line and not line.startswith("#")]
    return [
        (name, english.split("|"), chinese.split("|"))
        for name, english, chinese in (line.split("\t") for line in lines)
    ]


@cache
def _organ_words() -> Phrases[str]:
    return Phrases((tokens(term).words, name) for name, english, chinese in _rows() for term in (*english, *chinese))


@dataclass(frozen=True)
class Surroundings:
    """What a text says of sides, organs and so on, and where; looked for once, as notes have many findings.

    Attributes:
        organs, sizes: in order.
        sides, comparisons, dates: offsets of words that may begin one.
    """

    text: str
    organs: list[Span]
    sizes: list[Span]
    sides: list[int]
    comparisons: list[int]
    dates: list[int]

    @classmethod
    def of(cls, text: str, words: Tokens, sizes: list[Span]) -> Surroundings:
        """Look through a text."""
        found = _organ_words().find(words.words)
        named = [Span(words.starts[first], words.ends[end - 1], name) for first, end, name in found]
        hints = [
            [match.start() for match in hint.finditer(text)] for hint in (_SIDE_HINT, _COMPARISON_HINT, _DATE_HINT)
        ]
        return cls(text, named, sizes, *hints)


def qualities(
    around: Surroundings, span: tuple[int, int], sentence: tuple[int, int], others: Sequence[tuple[int, int]]
) -> dict[str, str]:
    """What is said of the finding ``text[span]``: those of NAMES that are known.

    Args:
        others: the spans of the other findings of the sentence: what stands beyond them is theirs.

    Returns:
        ``laterality`` (left, right, bilateral), ``organ`` (a name of ``organs``), ``size`` ("8 mm", "2.1 x 1.3 cm"),
        ``date`` (ISO 8601 as exact as written; as written where day and month cannot be told apart), ``comparison``
        (one of COMPARISONS).
    """
    text = around.text
    first, end = _reach(text, span, sentence, others)
    known = {
        "laterality": _nearest(_matches(_SIDE, around.sides, text, first, end), span),
        "organ": _nearest([row for row in around.organs if first <= row.start and row.end <= end], span),
        "size": _nearest([row for row in around.sizes if first <= row.start and row.end <= end], span),
        "date": _nearest(_dates(around, first, end), span),
        "comparison": _nearest(_matches(_COMPARISON, around.comparisons, text, first, end), span),
    }
    return {name: row.value for name, row in known.items() if row is not None}


def _has_hint(hints: list[int], first: int, end: int) -> bool:
    at = bisect_left(hints, first)
    return at < len(hints) and hints[at] < end


def _matches(pattern: re.Pattern[str], hints: list[int], text: str, first: int, end: int) -> list[Span]:
    if not _has_hint(hints, first, end):
        return []
    return [Span(*match.span(), str(match.lastgroup)) for match in pattern.finditer(text, first, end)]


def _dates(around: Surroundings, first: int, end: int) -> list[Span]:
    if not _has_hint(around.dates, first, end):  # a year or a slash
        return []
    text = around.text
    return [
        _date(match)
        for match in _DATE.finditer(text, first, end)
        if not _SINCE_WHEN.search(text, max(match.start() - 30, first), match.start())
    ]


def _reach(
    text: str, span: tuple[int, int], sentence: tuple[int, int], others: Sequence[tuple[int, int]]
) -> tuple[int, int]:
    """Where the part of the sentence begins and ends that speaks of a finding."""
    first, end = max(sentence[0], span[0] - REACH), min(sentence[1], span[1] + REACH)
    before = max((other[1] for other in others if other[1] <= span[0]), default=first)
    behind = min((other[0] for other in others if other[0] >= span[1]), default=end)
    cuts = [row.end() for row in _cuts(text, max(first, before), span[0], beside_other=before > first)]
    after = [row.start() for row in _cuts(text, span[1], min(end, behind), beside_other=behind < end)]
    return max([first, before, *cuts]), min([end, behind, *after])


def _cuts(text: str, start: int, end: int, *, beside_other: bool) -> list[re.Match[str]]:
    """Where the sentence may be cut; beside another finding a comma or an "and" is enough."""
    rows = [row for row in _CUTS.finditer(text, start, end) if not _within_number(text, row.start())]
    return [*rows, *_JOINTS.finditer(text, start, end)] if beside_other else rows


def _within_number(text: str, at: int) -> bool:
    """Whether a full stop is a decimal point."""
    return text[at] == "." and text[at + 1 : at + 2].isdigit() and text[at - 1 : at].isdigit()


def _nearest(rows: Sequence[Span], span: tuple[int, int]) -> Span | None:
    """The row that is in the finding's name, else right before it, else behind it; the nearest."""
    return min(rows, key=lambda row: _distance(row, span), default=None)


def _distance(row: Span, span: tuple[int, int]) -> int:
    if row.start < span[1] and span[0] < row.end:
        return 0
    return span[0] - row.end if row.end <= span[0] else row.start - span[1] + 2


def _date(match: re.Match[str]) -> Span:
    if match["iso"]:
        year, month, day = match["iso"].split("-")
    elif match["zh"]:
        year, month, day = [*re.findall(r"\d+", match["zh"]), "", ""][:3]
    elif match["month"]:
        year, month, day = match["year"], str(_MONTHS[match["month"].lower()]), match["day"] or ""
    elif match["written"]:
        return Span(*match.span(), _american(match["written"]))
    else:
        year, month, day = match["only"] or match["braced"], "", ""
    return Span(*match.span(), "-".join([year, *(part.zfill(2) for part in (month, day) if part)]))


def _american(written: str) -> str:
    """A date of numbers in ISO 8601 if only one order is possible and the year is written out; else as written."""
    first, second, year = written.split("/")
    if len(year) == 4 and int(first) <= 12 < int(second) <= 31:
        return f"{year}-{first.zfill(2)}-{second.zfill(2)}"
    if len(year) == 4 and int(second) <= 12 < int(first) <= 31:
        return f"{year}-{second.zfill(2)}-{first.zfill(2)}"
    return written

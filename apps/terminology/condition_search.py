"""Search conditions by what people type: codes, names, abbreviations, lay words, Chinese, with typing errors.

Exact names come first (MedPortal's own list, then the terms of the classification); then the terms that have all words
of the query, shortest first; then those that have the rarest of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, cached_property
from math import log
from typing import Final

from apps.terminology.candidates import Candidate
from apps.terminology.condition_text import abbreviations, american, plain_words, stems
from apps.terminology.conditions import code_row, completed, conditions, normal_code, title_of
from apps.terminology.data_files import own_lines, packed_lines
from apps.terminology.names import Token, is_chinese, key_of, tokens_of
from apps.terminology.spelling import Vocabulary, distance_between

LONGEST: Final = 200
"""Characters of a query that are read."""
_SIDES: Final = (("left", "左"), ("right", "右"), ("bilateral", "双"))
_CHINESE_PADDING: Final = re.compile(
    r"^(?:患者|诊断为|诊断|考虑|可能|疑似|怀疑|既往|有|得了|我有|左侧?|右侧?|双侧?|急性|慢性|重度|轻度|中度|反复|复发性|原发性|继发性|老年性?|小儿|"
    r"儿童|成人|特发性|先天性)|(?:病史|史|待查|待排|可能|疼痛症状|症状|患者|术后|治疗后|急性期|缓解期|恢复期|晚期|早期|综合征|症|病|？|\?)$"
)
_KINDS_OF_PARTS: Final = (
    ("cancer", re.compile("癌|恶性肿瘤|恶性")),
    ("history", re.compile("(?:癌|肿瘤).*(?:术后|放疗后|化疗后|放化疗后|病史)")),
    ("fracture", re.compile("骨折")),
)
_RARE_CHAPTERS: Final = {
    "O": 0.15,
    "P": 0.25,
    "Q": 0.1,
    "V": 0.4,
    "W": 0.4,
    "X": 0.4,
    "Y": 0.4,
    "Z": 0.12,
    "T": 0.08,
}
"""How much less likely a chapter is meant if its words are not in the query."""
_UNASKED: Final = (
    "history", "newborn", "pregnancy", "childbirth", "congenital", "sequela", "subsequent", "puerperium", "neonatal",
    "maternal", "drug", "poisoning", "underdosing", "screening", "family", "contact", "postprocedural", "secondary",
    "other", "juvenile", "recurrent", "complicating", "following",
)  # fmt: skip
"""Words that narrow a title: a title with one that was not asked for comes later."""


def search_conditions(query: str, *, limit: int = 20) -> list[str]:
    """Codes that a query may mean, best first; empty if nothing known comes near."""
    text = query.strip()[:LONGEST]
    code = normal_code(text)
    if code and (code_row(code) or _by_prefix(code)):
        return _by_prefix(code)[:limit] or [code]
    if code:
        meant = [known for base in completed(code) for known in (_by_prefix(base) or [base])]
        if meant or "." in text:
            return meant[:limit]
    found = [code for code in _searched(text) if code_row(code)]
    sided = [_sided(code, side) for side in _side_of(text) for code in found]
    return list(dict.fromkeys([*sided, *found] if sided else found))[:limit]


def resolve_condition(text: str) -> list[Candidate]:
    """Candidates of a condition's name: exact names are certain in that order, others are suggestions."""
    exact = _exact(text)
    codes = exact or search_conditions(text, limit=5)
    return [
        Candidate("condition", code, title_of(code), text, round((1.0 if exact else 0.6) / (1 + place), 2))
        for place, code in enumerate(codes[:5])
    ]


def conditions_in_text(text: str, tokens: list[Token]) -> list[tuple[int, int, Candidate]]:
    """Conditions that running text names: start, end, best candidate; abbreviations only in capital letters."""
    names = conditions()

    def accepts(key: str, start: int, end: int) -> bool:
        words = text[start:end]
        return is_chinese(key) or len(key) > 5 or " " in key or words.isupper() or key in plain_words()

    found = []
    for first, after, key in names.index.longest_names(text, tokens, accepts):
        start, end = tokens[first].start, tokens[after - 1].end
        codes = names.named(key)
        candidate = Candidate(
            "condition", codes[0], title_of(codes[0]), text[start:end], 1.0 if len(codes) == 1 else 0.9
        )
        found.append((start, end, candidate))
    return found


def _by_prefix(code: str) -> list[str]:
    rows = conditions().codes
    if code in rows:
        return list(dict.fromkeys([code if rows[code].billable else conditions().usual(code), code, *_below(code)]))
    return [known for known in rows if known.startswith(code)]


def _below(code: str) -> Iterable[str]:
    for child in conditions().children.get(code, []):
        yield child
        yield from _below(child)


def _searched(text: str) -> Iterable[str]:
    exact = _exact(text)
    yield from exact
    if is_chinese(text):
        yield from _chinese(key_of(text))
        return
    expanded = " ".join(abbreviations().get(token.key, token.key) for token in tokens_of(text))
    if not exact:
        exact = _exact(expanded)
        yield from exact
    if exact:
        yield from _ranked(stems(text))
        return
    corrected = " ".join(_terms().corrected(word) for word in expanded.split())
    if corrected != expanded:
        yield from _exact(corrected)
    yield from _ranked(stems(corrected))


def _exact(text: str) -> list[str]:
    """Codes of exactly this name, also in American spelling, in the singular, and without the side."""
    names = conditions()
    key = key_of(text)
    keys = [key, " ".join(map(american, key.split())), *([key[:-1]] if key.endswith("s") else [])]
    keys.append(re.sub(r"\b(?:left|right|bilateral|acute|my|severe|chronic|the|both) ", "", key) if key else key)
    for spelling in keys:
        codes = names.named(spelling)
        if codes:
            return list(codes)
    return []


class _Terms:
    """Terms of the classification as one text, a line for each: stems and codes."""

    def __init__(self) -> None:
        rows = [line.split("\t") for line in packed_lines("condition_terms.tsv.gz")]
        own = [(key, codes) for key, codes in conditions().own.items() if not is_chinese(key)]
        rows += [["", " ".join(stems(key)), "|".join(codes)] for key, codes in own]
        self._text = "\n" + "".join(f" {words} \t{codes}\n" for _key, words, codes in rows)

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of a term."""
        words = {word for line in self._text.splitlines() for word in line.split("\t")[0].split()}
        keys = {word for key in conditions().own if not is_chinese(key) for word in key.split()}
        return frozenset(words | keys)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self.words)

    def corrected(self, word: str) -> str:
        """The word, or the known one that it is a misspelling of."""
        folded = stems(word)
        if not folded or folded[0] in self.words or word in self.words or len(word) < 5 or self._is_beginning(word):
            return word
        near = self._vocabulary.near(american(word)) or self._vocabulary.near(folded[0])
        return max(near, key=lambda row: self.count(row[1]))[1] if near else word

    def _is_beginning(self, word: str) -> bool:
        return len(word) >= 6 and f" {word}" in self._text

    def count(self, word: str) -> int:
        """In how many terms a word occurs."""
        return self._text.count(f" {word} ")

    def lines_with(self, word: str) -> Iterable[tuple[str, str]]:
        """Terms with a word: stems with a space on both ends, codes."""
        at = self._text.find(word)
        while at >= 0:
            start = self._text.rfind("\n", 0, at) + 1
            end = self._text.find("\n", at)
            words, _separator, codes = self._text[start:end].partition("\t")
            yield words, codes
            at = self._text.find(word, end)


@cache
def _terms() -> _Terms:
    return _Terms()


def _ranked(query: list[str]) -> list[str]:
    """Codes of the terms that share words with the query, by the weight of what is shared and what is too much."""
    terms = _terms()
    weights: dict[str, float] = {}
    for word in dict.fromkeys(query):
        count = terms.count(word)
        needle = f" {word} " if count else f" {word}"
        if count or (len(word) >= 3 and any(True for _line in terms.lines_with(needle))):
            weights[needle] = log(80000 / (1 + (count or 50)))
    if not weights:
        return []
    total = sum(weights.values()) + 6.0 * (len(dict.fromkeys(query)) - len(weights))
    scores: dict[str, float] = {}
    rarest = sorted(weights, key=lambda needle: -weights[needle])
    for start in rarest[:2]:
        for words, codes in terms.lines_with(start):
            shared = sum(weight for needle, weight in weights.items() if needle in words)
            if shared < 0.45 * total:
                continue
            score = shared / total - 0.03 * max(words.count(" ") - 1 - len(query), 0) - _unasked(words, query)
            for place, code in enumerate(codes.split("|")):
                value = score - 0.02 * place - _chapter_penalty(code, query)
                if value > scores.get(code, -9.0):
                    scores[code] = value
    usual = conditions().usual
    best = sorted(scores, key=lambda code: (-round(scores[code], 3), len(code), code))[:60]
    return list(dict.fromkeys(usual(code) for code in best))


def _unasked(words: str, query: list[str]) -> float:
    return sum(0.06 for word in _UNASKED if f" {word}" in words and word not in query)


def _chapter_penalty(code: str, query: list[str]) -> float:
    if code[0] == "O" and {"pregnancy", "pregnant", "delivery", "labor", "birth"} & set(query):
        return 0.0
    return _RARE_CHAPTERS.get(code[0], 0.0)


def _side_of(text: str) -> list[str]:
    words = {token.key for token in tokens_of(text)}
    for side, chinese in _SIDES:
        if side in words or text.startswith(chinese) or (side[0] in words and len(words) > 1):
            return [side]
    return []


def _sided(code: str, side: str) -> str:
    """The code for a side where the code's siblings differ by side; else the code itself."""
    row = code_row(code)
    if row is None or "unspecified" not in row.title or len(row.code) < 5:
        return code
    for sibling in conditions().children.get(conditions().parent(row.code), []):
        if side in conditions().codes[sibling].title.split():
            return conditions().usual(sibling)
    return code


@cache
def _parts() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Kind, site and codes of composed Chinese diagnoses, the longest sites first."""
    rows = [line.split("\t") for line in own_lines("condition_parts_zh.tsv")]
    parts = [(kind, site, tuple(codes.split("|"))) for kind, sites, codes in rows for site in sites.split("|")]
    return tuple(sorted(parts, key=lambda row: -len(row[1])))


def _composed(key: str) -> Iterable[str]:
    """Codes of a site with a kind: 右肺上叶癌, 左侧桡骨远端骨折."""
    kinds = [kind for kind, words in _KINDS_OF_PARTS if words.search(key)]
    for kind in kinds:
        found = next((codes for known, site, codes in _parts() if known == kind and site in key), ())
        yield from found


def _chinese(key: str) -> Iterable[str]:
    """Codes of Chinese names near the query: without padding, contained in it, containing it, misspelt."""
    own = conditions().own
    yield from _composed(key)
    bare = key
    while (shorter := _CHINESE_PADDING.sub("", bare)) != bare and len(shorter) >= 2:
        bare = shorter
        yield from own.get(bare, ())
    names = [name for name in own if is_chinese(name)]
    for name in sorted((name for name in names if len(name) > 1 and name in key), key=len, reverse=True)[:3]:
        yield from own[name]
    for name in sorted((name for name in names if bare in name), key=len)[:5]:
        yield from own[name]
    for name in names:
        if len(name) > 2 and distance_between(bare, name, 1) <= 1:
            yield from own[name]
    shared = sorted(names, key=lambda name: -_likeness(bare, name))[:3]
    for name in shared:
        if _likeness(bare, name) >= 0.5:
            yield from own[name]


def _likeness(left: str, right: str) -> float:
    """Dice coefficient of the pairs of adjacent characters."""
    pairs = [{word[at : at + 2] for at in range(len(word) - 1)} for word in (left, right)]
    return 2 * len(pairs[0] & pairs[1]) / max(len(pairs[0]) + len(pairs[1]), 1)

"""One spelling for words of conditions: British and American, lay and Latin, singular and plural."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from apps.terminology.data_files import own_lines
from apps.terminology.names import tokens_of

STOP_WORDS: Final = frozenset(
    [
        "of",
        "the",
        "a",
        "an",
        "and",
        "or",
        "in",
        "on",
        "to",
        "by",
        "for",
        "from",
        "with",
        "due",
        "as",
        "at",
        "his",
        "her",
    ]
)
_SPELLINGS: Final = (
    (re.compile(r"oesoph"), "esoph"),
    (re.compile(r"oedem"), "edem"),
    (re.compile(r"haem"), "hem"),
    (re.compile(r"anaem"), "anem"),
    (re.compile(r"aemia"), "emia"),
    (re.compile(r"rrhoea"), "rrhea"),
    (re.compile(r"rrhoid"), "rrhoid"),
    (re.compile(r"dyspnoea"), "dyspnea"),
    (re.compile(r"apnoea"), "apnea"),
    (re.compile(r"paed"), "ped"),
    (re.compile(r"gynaec"), "gynec"),
    (re.compile(r"leuk?aem"), "leukem"),
    (re.compile(r"tumour"), "tumor"),
    (re.compile(r"coeliac"), "celiac"),
    (re.compile(r"foet"), "fet"),
    (re.compile(r"orthopaed"), "orthoped"),
    (re.compile(r"isch?aem"), "ischem"),
    (re.compile(r"goitre"), "goiter"),
    (re.compile(r"fibre"), "fiber"),
    (re.compile(r"sulph"), "sulf"),
)
_PHRASES: Final = (
    (re.compile(r"\bmalignant (?:neoplasms?|tumou?rs?)\b"), "cancer"),
    (re.compile(r"\bhigh blood pressure\b"), "hypertension"),
    (re.compile(r"\blow back\b|\blower back\b"), "low-back"),
    (re.compile(r"\bmyocardial infarct(?:ion)?s?\b|\bheart attacks?\b"), "heart-muscle infarction"),
    (re.compile(r"\bshortness of breath\b"), "breathlessness"),
    (re.compile(r"\blower (?:limbs?|extremity|extremities|legs?)\b"), "leg"),
    (re.compile(r"\bupper (?:limbs?|extremity|extremities|arms?)\b"), "arm"),
    (re.compile(r"\((?:disorder|finding|situation|procedure|morphologic abnormality)\)"), ""),
    (re.compile(r"\bw/o\b"), "without"),
    (re.compile(r"\bw/"), "with "),
    (re.compile(r"\btype ii\b"), "type 2"),
    (re.compile(r"\btype i\b"), "type 1"),
)
_JOINED: Final = ("low-back", "heart-muscle")


@cache
def _synonyms() -> dict[str, str]:
    return dict(line.split("\t")[1:] for line in own_lines("condition_words.tsv") if line.startswith("same\t"))


@cache
def abbreviations() -> dict[str, str]:
    """What abbreviations mean within a longer query; some mean nothing for the search."""
    return dict(line.split("\t")[1:] for line in own_lines("condition_words.tsv") if line.startswith("short\t"))


@cache
def plain_words() -> frozenset[str]:
    """Short names of conditions that are no abbreviations."""
    lines = own_lines("condition_words.tsv")
    return frozenset(line.split("\t")[1] for line in lines if line.startswith("plain\t"))


def stems(text: str) -> list[str]:
    """Comparable words of a condition's name, in order, without words that say nothing."""
    text = text.casefold()
    for pattern, word in _PHRASES:
        text = pattern.sub(word, text)
    parts = [
        part for word in text.split() for part in ([word] if word in ("low-back", "heart-muscle") else _tokens(word))
    ]
    return [stem for part in parts if part not in STOP_WORDS for stem in [_stem(part)]]


def _tokens(word: str) -> list[str]:
    return [token.key for token in tokens_of(word)]


def american(word: str) -> str:
    """The American spelling of a word."""
    for pattern, spelling in _SPELLINGS:
        word = pattern.sub(spelling, word)
    return word


def _stem(word: str) -> str:
    word = american(word)
    word = _synonyms().get(word, word)
    if len(word) > 4 and word.endswith("ies") and word not in ("caries", "rabies", "scabies", "series", "species"):
        return f"{word[:-3]}y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "as", "os")):
        word = word[:-1]
    return _synonyms().get(word, word)

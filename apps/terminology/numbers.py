"""Numbers as people and devices write them: comparator, decimal comma, thousands, flags, a unit behind the number.

A text such as ``1,500`` has two readings, 1500 and 1.5; both are returned, and the caller decides by what is plausible
for the analyte or asks. Nothing is rounded.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

COMPARATORS = {
    "<=": "<=", "=<": "<=", "≤": "<=", "⩽": "<=", ">=": ">=", "=>": ">=", "≥": ">=", "⩾": ">=", "<": "<", ">": ">",
    "less than or equal to": "<=", "greater than or equal to": ">=", "at most": "<=", "up to": "<=", "at least": ">=",
    "less than": "<", "lower than": "<", "below": "<", "under": "<", "greater than": ">", "more than": ">",
    "higher than": ">", "above": ">", "over": ">", "lt": "<", "gt": ">", "不超过": "<=", "不低于": ">=", "不少于": ">=",
    "小于等于": "<=", "大于等于": ">=", "小于": "<", "低于": "<", "少于": "<", "大于": ">", "高于": ">", "超过": ">",
}  # fmt: skip
"""Comparators as written, to FHIR's quantity-comparator codes."""
APPROXIMATE = (
    "~",
    "≈",
    "ca.",
    "approx.",
    "approximately",
    "approx",
    "about",
    "around",
    "roughly",
    "约",
    "大约",
    "左右",
)
_COMPARATOR = re.compile(
    "^(" + "|".join(re.escape(text) for text in sorted(COMPARATORS, key=len, reverse=True)) + ")(?![a-z])",
    re.IGNORECASE,
)
_APPROXIMATE = re.compile("^(?:" + "|".join(map(re.escape, APPROXIMATE)) + r")\s*", re.IGNORECASE)
_FLAG_BEFORE = re.compile(r"^(?:\*+|[HL]{1,2}(?=\s*[\d.])|↑|↓)\s*")
_FLAG_AFTER = re.compile(
    r"\s*(?:\*+|↑+|↓+|\((?:HH?|LL?|high|low|abnormal|critical)\)|\s(?:HH|LL|high|low|critical))$", re.I
)
_LETTER_AFTER = re.compile(r"(?<=\d)\s+(?:H|L|A|N)$|(?<=\d)(?:H|L)$")
_NUMBER = r"[+-]?(?:\d(?:[\d.,']|\s(?=\d{3}(?!\d)))*\d|\d|\.\d+)[.,]?"
_WHOLE = re.compile(
    rf"^({_NUMBER})(?:\s*(?:e|x\s*10\s*[\^*]{{0,2}}\s*|\*\s*10\s*\^\s*)([+-]?\d{{1,2}})(?![\d.]))?\s*(.*)$",
    re.IGNORECASE,
)
_RANGE = re.compile(r"^[+-]?[\d.,]+\s*(?:-|to|至|~)\s*[\d.,]+", re.IGNORECASE)
_RATIO = re.compile(r"^\d+(?:\.\d+)?\s*[/:]\s*\d")
_POWER_ONLY = re.compile(r"^10\s*\^\s*(\d{1,2})\s*(.*)$")
_GROUPED = re.compile(r"^\d{1,3}(?:([,.' ])\d{3})(?:\1\d{3})*$")
_INDIAN = re.compile(r"^\d{1,2}(?:,\d{2})+,\d{3}$")


class NotANumber(ValueError):
    """A text that is no single number; ``code`` says why: ``value_number``, ``value_range`` or ``value_ratio``."""

    def __init__(self, code: str = "value_number") -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Number:
    """A number as written.

    Attributes:
        readings: what it may mean, the more usual reading first; one unless the separator is ambiguous.
        comparator: ``<``, ``<=``, ``>``, ``>=`` or empty.
        unit: the text behind the number, as written; empty if there is none.
        approximate: whether it is written as an estimate ("about 5").
    """

    readings: tuple[float, ...]
    comparator: str = ""
    unit: str = ""
    approximate: bool = False


def read_number(text: str) -> Number:
    """Read one number with what stands around it.

    Raises:
        NotANumber: if there is none, more than one, or text that does not belong to a number.
    """
    rest = _normalised(text)
    comparator, rest = _comparator(rest)
    approximate = bool(_APPROXIMATE.match(rest)) or rest.endswith("左右")
    rest = _APPROXIMATE.sub("", rest).removesuffix("左右").strip()
    rest = _without_flags(rest)
    if match := _POWER_ONLY.match(rest):
        return Number((10.0 ** int(match[1]),), comparator, match[2], approximate)
    if _RANGE.match(rest):
        raise NotANumber("value_range")
    if _RATIO.match(rest):
        raise NotANumber("value_ratio")
    match = _WHOLE.match(rest)
    if match is None:
        raise NotANumber
    power = 10.0 ** int(match[2]) if match[2] else 1.0
    readings = tuple(dict.fromkeys(value * power for value in _readings(match[1].strip())))
    return Number(readings, comparator, match[3].strip(), approximate)


def _normalised(text: str) -> str:
    """Return the text with plain signs, digits and spaces; superscripts become an exponent."""
    superscripts = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
    text = re.sub(r"10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda match: "10^" + match[1].translate(superscripts), text)
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    text = re.sub(r"(?<=\d)[\u00a0\u2007\u2009\u202f](?=\d{3})", " ", text)
    text = unicodedata.normalize("NFKC", text.replace("µ", "u"))
    for sign, plain in (
        ("−", "-"),
        ("–", "-"),
        ("—", "-"),
        ("×", "x"),
        ("’", "'"),
        ("，", ","),
        ("。", "."),
        ("＋", "+"),
    ):
        text = text.replace(sign, plain)
    return " ".join(text.split())


def _comparator(text: str) -> tuple[str, str]:
    match = _COMPARATOR.match(text)
    if match is None:
        return "", text
    return COMPARATORS[match[1].lower()], text[match.end() :].strip()


def _without_flags(text: str) -> str:
    """Remove a laboratory's flags: ``H 5.9``, ``5.9*``, ``5.9 (H)``, ``5.9 L``, ``5.9↑``."""
    text = _FLAG_BEFORE.sub("", text)
    return _FLAG_AFTER.sub("", text).strip()


def without_letter_flag(text: str) -> str:
    """Remove a trailing H, L, A or N. Only where a unit is given elsewhere: ``1.5 L`` alone may be litres."""
    return _LETTER_AFTER.sub("", text.strip())


def _readings(text: str) -> list[float]:
    """Return what digits with separators may mean, the more usual reading first."""
    sign = -1.0 if text.startswith("-") else 1.0
    digits = text.lstrip("+-").strip()
    if re.fullmatch(r"\d+", digits):
        return [sign * float(digits)]
    if _GROUPED.match(digits) or _INDIAN.match(digits):
        return [sign * value for value in _grouped(digits)]
    return [sign * _decimal(digits)]


def _grouped(digits: str) -> list[float]:
    """Read groups of three: thousands, or with one comma or point perhaps a decimal fraction."""
    separators = re.sub(r"\d", "", digits)
    thousands = float(re.sub(r"\D", "", digits))
    if len(separators) > 1 or separators in (" ", "'"):
        return [thousands]
    decimal = float(digits.replace(",", "."))
    if digits.startswith("0"):
        return [decimal]
    return [thousands, decimal] if separators == "," else [decimal, thousands]


def _decimal(digits: str) -> float:
    """Read a number whose last separator is the decimal one and whose others group thousands."""
    digits = digits.rstrip(".,") if re.fullmatch(r"\d+[.,]", digits) else digits
    match = re.fullmatch(r"(\d{0,3}(?:([,.' ])\d{3})*|\d*)(?:([.,])(\d+))?", digits)
    if match is None or (match[2] and match[2] == match[3]) or (not match[1] and not match[4]):
        raise NotANumber
    whole = re.sub(r"\D", "", match[1])
    return float(f"{whole or 0}.{match[4] or 0}")

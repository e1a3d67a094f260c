"""Measured values and sizes in notes: which measurement, the number as written, its unit, and what may be done with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from apps.notes.nlp.phrases import Phrases
from apps.notes.nlp.tokens import Tokens, tokens
from apps.terminology.loinc import catalogue
from apps.terminology.quantities import Reading, State, read_quantity

PRESSURE, SYSTOLIC, DIASTOLIC = "85354-9", "8480-6", "8462-4"
_DIGITS = r"\d(?:[\d.,]*\d)?"
_NUMBER = rf"(?P<number>[<>≤≥]?=?\s?{_DIGITS})"
_FILL = re.compile(
    r"\s*(?:(?:level|levels|count|value|reading|today|currently|now|again|up|down|still|elevated|low|high|normal|stable|increased|decreased|of|"
    r"is|was|were|are|at|to|about|around|approximately|measured|noted|found|来|约|为|是|在|升至|降至|升高至|高达|测得)\b|"
    r"[:：=为是约]|\((?:[A-Za-z0-9.-]{1,10})\)|[,，-](?=\s*\d))?",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"\s*(?P<unit>(?:[x×*]\s?)?10\s?(?:\^|\*\*|\*|e)?\s?[0-9⁰-⁹]{1,2}\s?(?:/|per)\s?(?:u?[lL]|µL|μL|mm3|mm³)|"
    r"mL/min(?:/1\.73\s?m(?:2|²|\^2))?|mm\s?Hg|毫米汞柱|次/分钟?|beats/min(?:ute)?|breaths/min(?:ute)?|"
    r"[A-Za-zµμ\[\]]{1,6}\s?/\s?(?:100\s?)?[A-Za-zµμ]{1,4}(?:[23²³])?(?![A-Za-z])|/\s?(?:min(?:ute)?|[uµμ]L|mm3|mm³|cumm|HPF)(?![A-Za-z])|"
    r"°\s?[CFcf]|℃|℉|%|degrees?(?: (?:C|F|Celsius|Fahrenheit))?(?![A-Za-z])|(?:pounds?|lbs?|kgs?|kilograms?|cm|mm|inches|inch|feet|ft|bpm|fL|pg|"
    r"msec|ms|seconds|sec|years|kPa|mEq|mL|cc|g|U|K|C|F)(?![A-Za-z])|公斤|千克|厘米|毫米|毫升|摄氏度|度|秒|斤)"
)
_PRESSURE = re.compile(
    r"(?<![A-Za-z])(?:blood pressure|bp|血压)\D{0,14}?(?P<systolic>\d{2,3})\s*/\s*(?P<diastolic>\d{2,3})(?![\d/])(?:\s*(?:mm\s?Hg|毫米汞柱))?",
    re.IGNORECASE,
)
_SIZE_UNITS = {"mm": "mm", "cm": "cm", "毫米": "mm", "厘米": "cm", "公分": "cm"}
_PART = r"\d{1,4}(?:[.,]\d{1,2})?"
_SIZE = re.compile(
    rf"(?<![A-Za-z0-9_.,/])(?P<size>{_PART}(?:\s*(?:mm|cm|厘米|毫米)?\s*[x×*]\s*{_PART}){{0,2}})\s*-?(?P<unit>mm|cm|毫米|厘米|公分)(?![A-Za-z])",
    re.IGNORECASE,
)
_NO_VALUE = re.compile(
    r"\b(?:goal|target|targets|keep|maintain|aim|if|when|unless|until|hold for|call for|notify|threshold|cutoff|cut-off|reference|normal range|"
    r"range|less than|greater than|below|above|should be|titrate|to keep|for a|age)\b[^.;]{0,25}$|目标|控制在|最高|最低|如果|若|参考|正常值",
    re.IGNORECASE,
)
"""Words that announce a limit or an aim, not a measured value."""
_VITAL_LETTERS = {"T": "temperature", "P": "pulse", "R": "respiratory rate"}
"""Letters that stand for a vital sign beside another one; alone "P" is phosphate as well."""
_VITAL_SIGNS = re.compile(r"\b(?:BP|HR|RR|T|P|R|SpO2|temp\w*|pulse|blood pressure|sats?)\b[:\s]*\d", re.IGNORECASE)
_NO_NUMBER = re.compile(
    r"\s*(?:/\s*\d|-\s*\d|[:–]\s*\d|weeks?\b|days?\b|months?\b|hours?\b|hrs?\b|times\b|doses?\b|years? old|天|周|月|次(?!/))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Measurement:
    """A measured quantity in a note.

    Attributes:
        code: LOINC, or empty for a size.
        values: one to three numbers in ``unit`` (UCUM).
        written: the number as written, with comparator; ``written_unit`` its unit, empty if the note has none.
        state: whether it can be recorded as it stands, has to be asked about, or is refused (``quantities.State``).
        reason: why it is asked about or refused (reason code).
    """

    start: int
    end: int
    code: str
    values: tuple[float, ...]
    unit: str
    written: str = ""
    written_unit: str = ""
    state: str = State.TAKEN
    comparator: str = ""
    reason: str = ""
    choices: tuple[tuple[float, str], ...] = field(default=())


@cache
def _names() -> Phrases[str]:
    """Names of measurements; the value is the name as the catalogue knows it."""
    rows = [([letter.lower()], letter) for letter in _VITAL_LETTERS]
    for measure in catalogue().values():
        for name in (*measure.names, *measure.title.values()):
            words = tokens(name).words
            if words and measure.is_loinc:
                rows.append((words, name))
    return Phrases(rows)


def measurements(text: str, words: Tokens | None = None) -> list[Measurement]:
    """Extract vital signs, laboratory values and sizes in order of position; each number is used once."""
    words = words or tokens(text)
    rows = _pressures(text)
    for first, end, name in _names().find(words.words):
        row = _value(text, words.starts[first], words.ends[end - 1], name)
        if row is not None and not _overlaps(row, rows):
            rows.append(row)
    sizes = [row for row in map(_size, _SIZE.finditer(text)) if not _overlaps(row, rows)]
    return sorted([*rows, *sizes], key=lambda row: row.start)


def _overlaps(row: Measurement, others: list[Measurement]) -> bool:
    return any(row.start < other.end and other.start < row.end for other in others)


def _pressures(text: str) -> list[Measurement]:
    return [
        Measurement(
            match.start(), match.end(), PRESSURE, (float(match["systolic"]), float(match["diastolic"])), "mm[Hg]",
            f"{match['systolic']}/{match['diastolic']}", "mm[Hg]",
        )
        for match in _PRESSURE.finditer(text)
        if not _NO_VALUE.search(text[max(match.start() - 40, 0) : match.start("systolic")])
    ]  # fmt: skip


def _size(match: re.Match[str]) -> Measurement:
    unit = _SIZE_UNITS[match["unit"].lower()]
    numbers = tuple(float(part.replace(",", ".")) for part in re.findall(_PART, match["size"]))
    return Measurement(match.start(), match.end(), "", numbers, unit, match["size"], match["unit"])


def _value(text: str, start: int, end: int, name: str) -> Measurement | None:
    """The value right behind the name of a measurement; None if there is no number or it is no measured value."""
    position, number = end, None
    for _ in range(4):
        number = re.compile(rf"\s*{_NUMBER}").match(text, position)
        if number is not None:
            break
        position = _FILL.match(text, position).end()  # type: ignore[union-attr]
    if (
        number is None
        or _NO_VALUE.search(text[max(start - 40, 0) : start])
        or not _is_name(text, start, end, number.start())
    ):
        return None
    unit = _UNIT.match(text, number.end())
    after = unit.end() if unit else number.end()
    if re.match(r"[A-Za-z\d]", text[after : after + 1]) or (unit is None and _NO_NUMBER.match(text, after)):
        return None
    written, written_unit = " ".join(number["number"].split()), unit["unit"].strip() if unit else ""
    if name.upper() in _VITAL_LETTERS and _VITAL_SIGNS.search(
        text[max(start - 60, 0) : start] + text[after : after + 60]
    ):
        name = _VITAL_LETTERS[name.upper()]
    reading = read_quantity(name, written, written_unit)
    if reading.measure is None:
        return None
    return _measurement(start, after, written, written_unit, reading)


def _is_name(text: str, start: int, end: int, number: int) -> bool:
    """Whether a short name is one: "K 3.5" but not "k 3", and "T 38.5" but not "t: 4"."""
    name = text[start:end]
    if len(name) > 2 or not name.isascii() or name in ("wt", "ht"):
        return True
    return name[0].isupper() and (
        len(name) > 1 or (number - end <= 2 and bool(re.match(r"\s*\d+[.,]\d|\s*\d{2,3}\b", text[number:])))
    )


def _measurement(start: int, end: int, written: str, written_unit: str, reading: Reading) -> Measurement:
    measure = reading.measure
    assert measure is not None
    choices = tuple((choice.value, choice.text) for choice in reading.choices)
    values = (reading.value,) if reading.value is not None else tuple(value for value, _text in choices[:1])
    return Measurement(
        start, end, measure.code, values, measure.unit, written, written_unit, str(reading.state), reading.comparator,
        reading.reason, choices,
    )  # fmt: skip

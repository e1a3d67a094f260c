"""Extract measurements and doses from notes."""

from __future__ import annotations

import re
from dataclasses import dataclass

NUMBER = r"\d{1,6}(?:[.,]\d{1,3})?"
UNITS = {
    "mm": "mm", "cm": "cm", "mg/dl": "mg/dL", "g/dl": "g/dL", "mmol/l": "mmol/L", "mg/l": "mg/L", "%": "%", "kg": "kg",
    "pounds": "[lb_av]", "lbs": "[lb_av]", "bpm": "/min", "/min": "/min", "mmhg": "mm[Hg]", "°c": "Cel", "℃": "Cel",
    "°f": "[degF]", "u/l": "U/L", "ng/ml": "ng/mL", "ml": "mL", "毫米": "mm", "厘米": "cm", "公斤": "kg", "次/分": "/min",
}  # fmt: skip
"""Unit as written in notes (lowercase) to UCUM."""
VITALS = {
    "8867-4": (r"heart rate|pulse|hr|心率|脉搏", "/min"),
    "9279-1": (r"respiratory rate|respirations?|rr|resp rate|呼吸频率|呼吸", "/min"),
    "8310-5": (r"temperature|temp|体温", "Cel"),
    "2708-6": (r"spo2|oxygen saturation|o2 sat(?:uration)?|sats?|血氧饱和度|血氧", "%"),
    "1988-5": (r"crp|c-reactive protein|c反应蛋白", "mg/L"),
    "6690-2": (r"wbc|white (?:blood )?cell count|白细胞", "10*3/uL"),
    "718-7": (r"h(?:a?e)?moglobin|hgb|血红蛋白", "g/dL"),
    "29463-7": (r"weight|wt|体重", "kg"),
    "2160-0": (r"creatinine|肌酐", "mg/dL"),
}
"""LOINC code to its names in notes and its default UCUM unit."""
_UNIT = "|".join(sorted((re.escape(unit) for unit in UNITS), key=len, reverse=True))
_SIZE = re.compile(rf"(?<![A-Za-z0-9_.])({NUMBER}(?:\s*[x×]\s*{NUMBER}){{0,2}})\s*({_UNIT})(?![A-Za-z])", re.IGNORECASE)
_PRESSURE = re.compile(r"(?:blood pressure|bp|血压)\D{0,12}(\d{2,3})\s*/\s*(\d{2,3})", re.IGNORECASE)
_VITAL = {
    code: re.compile(
        rf"(?<![A-Za-z])(?:{names})(?:\s*(?:is|was|of|to|at|:|：|=|为|，|,))*\s*({NUMBER})\s*({_UNIT}|C|F)?(?![\d/])",
        re.IGNORECASE,
    )
    for code, (names, _unit) in VITALS.items()
}
DOSE = re.compile(
    rf"({NUMBER})\s*(mg/kg(?:/day)?|mg|mcg|µg|g|ml|units?|puffs?|tablets?|毫克|克|片)(?![A-Za-z])", re.IGNORECASE
)
SCHEDULE = re.compile(
    r"\b(?:once|twice|three times|four times)(?: a| per)? ?(?:daily|day|week)\b|\bdaily\b|\bb\.?i\.?d\b\.?|\bt\.?i\.?d\b\.?|"
    r"\bq\.?i\.?d\b\.?|\bq\.?d\b\.?|\bq\s?\d{1,2}\s?h(?:ours?|rs?)?\b|\bevery \d{1,2} hours?\b|\bp\.?r\.?n\b\.?|\bat bedtime\b|"
    r"每日\S{1,2}次|每天\S{1,2}次|一日\S{1,2}次|每\d{1,2}小时",
    re.IGNORECASE,
)
ROUTE = re.compile(
    r"\b(?:p\.?o|i\.?v|i\.?m|orally|by mouth|subcutaneously|inhaled|intravenously|topically)\b|口服|静滴|静脉|雾化|肌注",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Measurement:
    """A measured quantity in a note.

    Attributes:
        code: LOINC, or empty for a size.
        values: one to three numbers in ``unit`` (UCUM).
    """

    start: int
    end: int
    code: str
    values: tuple[float, ...]
    unit: str


def measurements(text: str) -> list[Measurement]:
    """Extract vital signs, laboratory values and sizes in order of position; each number is used once."""
    rows = [
        Measurement(match.start(), match.end(), code, (_number(match[1]),), _unit_of(code, match[2]))
        for code, pattern in _VITAL.items()
        for match in pattern.finditer(text)
    ]
    rows += [
        Measurement(match.start(), match.end(), "85354-9", (float(match[1]), float(match[2])), "mm[Hg]")
        for match in _PRESSURE.finditer(text)
    ]
    occupied = [range(row.start, row.end) for row in rows]
    for match in _SIZE.finditer(text):
        if not any(match.start() in span or match.end() - 1 in span for span in occupied):
            numbers = tuple(_number(part) for part in re.split(r"\s*[x×]\s*", match[1]))
            rows.append(Measurement(match.start(), match.end(), "", numbers, UNITS[match[2].lower()]))
    return sorted(rows, key=lambda row: row.start)


def dose(text: str) -> dict[str, str]:
    """Extract dose, route and schedule from the text after a medication's name; missing parts are left out."""
    patterns = {"dose": DOSE, "route": ROUTE, "schedule": SCHEDULE}
    matches = {name: pattern.search(text) for name, pattern in patterns.items()}
    return {name: match[0].strip() for name, match in matches.items() if match}


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _unit_of(code: str, written: str | None) -> str:
    if not written:
        return VITALS[code][1]
    if written in ("C", "F"):
        return "Cel" if written == "C" else "[degF]"
    return UNITS[written.lower()]

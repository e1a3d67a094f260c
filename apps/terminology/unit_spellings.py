"""Units as people and devices write them, to UCUM: ``K/uL``, ``x10^9/L``, ``mcg/dl``, ``MMOL/L``, ``次/分``."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from apps.terminology.ucum import NotUcum, parse

ALIASES = {
    "": "", "1": "1", "fraction": "1", "ratio": "1", "inr": "1", "比值": "1", "l/l": "1", "none": "", "n/a": "",
    "percent": "%", "pct": "%", "per cent": "%", "百分比": "%", "vol%": "%", "%vol": "%",
    "ph": "[pH]", "phunits": "[pH]", "score": "{score}", "points": "{score}", "point": "{score}", "分": "{score}",
    "/min": "/min", "1/min": "/min", "min-1": "/min", "bpm": "/min", "rpm": "/min", "beats/min": "/min",
    "breaths/min": "/min", "beats/minute": "/min", "breaths/minute": "/min", "perminute": "/min", "permin": "/min",
    "{beats}/min": "/min", "{breaths}/min": "/min", "次/分": "/min", "次/分钟": "/min", "次/min": "/min",
    "beatsperminute": "/min", "breathsperminute": "/min", "cpm": "/min",
    "mmhg": "mm[Hg]", "mm[hg]": "mm[Hg]", "torr": "mm[Hg]", "毫米汞柱": "mm[Hg]", "cmh2o": "cm[H2O]",
    "kpa": "kPa", "千帕": "kPa",
    "c": "Cel", "°c": "Cel", "degc": "Cel", "degreesc": "Cel", "celsius": "Cel", "degreescelsius": "Cel",
    "degcelsius": "Cel", "摄氏度": "Cel", "度": "Cel", "cel": "Cel", "°": "",
    "f": "[degF]", "°f": "[degF]", "degf": "[degF]", "degreesf": "[degF]", "fahrenheit": "[degF]",
    "degreesfahrenheit": "[degF]", "华氏度": "[degF]", "[degf]": "[degF]", "kelvin": "K",
    "lb": "[lb_av]", "lbs": "[lb_av]", "lb.": "[lb_av]", "lbs.": "[lb_av]", "pound": "[lb_av]", "pounds": "[lb_av]",
    "#": "[lb_av]", "磅": "[lb_av]", "oz": "[oz_av]", "ounce": "[oz_av]", "ounces": "[oz_av]", "st": "[stone_av]",
    "stone": "[stone_av]", "kgs": "kg", "kilo": "kg", "kilos": "kg", "kilogram": "kg", "kilograms": "kg", "公斤": "kg",
    "千克": "kg", "斤": "(500.g)", "克": "g", "gm": "g", "gms": "g", "gram": "g", "grams": "g", "毫克": "mg",
    "微克": "ug", "fractionof1.0": "1", "%oftotalhb": "%", "%totalhb": "%", "fractionoftotalhb": "1",
    "in": "[in_i]", "in.": "[in_i]", "inch": "[in_i]", "inches": "[in_i]", "\"": "[in_i]", "英寸": "[in_i]",
    "ft": "[ft_i]", "feet": "[ft_i]", "foot": "[ft_i]", "'": "[ft_i]", "centimeters": "cm", "centimetres": "cm",
    "厘米": "cm", "公分": "cm", "米": "m", "meters": "m", "metres": "m", "meter": "m", "metre": "m", "毫米": "mm",
    "cc": "mL", "毫升": "mL", "升": "L", "liter": "L", "litre": "L", "liters": "L", "litres": "L",
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "秒": "s", "msec": "ms", "毫秒": "ms",
    "yr": "a", "yrs": "a", "year": "a", "years": "a", "年": "a", "岁": "a", "pack-years": "{pack-years}",
    "packyears": "{pack-years}", "包年": "{pack-years}",
    "mm/h": "mm/h", "mm/hr": "mm/h", "mm/hour": "mm/h", "mm/1h": "mm/h", "mm/1.hr": "mm/h", "毫米/小时": "mm/h",
    "ml/min/1.73m2": "mL/min/{1.73_m2}", "ml/min/1.73": "mL/min/{1.73_m2}", "ml/min/{1.73m2}": "mL/min/{1.73_m2}",
    "ml/min/{1.73_m2}": "mL/min/{1.73_m2}", "ml/min/1.73m^2": "mL/min/{1.73_m2}", "ml/min/1.73sqm": "mL/min/{1.73_m2}",
    "ml/min/1.73sq.m": "mL/min/{1.73_m2}", "ml/min/1,73m2": "mL/min/{1.73_m2}", "ml/(min*1.73m2)": "mL/min/{1.73_m2}",
    "ml/min/bsa": "mL/min/{1.73_m2}", "ml/min.1.73m2": "mL/min/{1.73_m2}", "ml/(min.1.73m2)": "mL/min/{1.73_m2}",
    "mg%": "mg/dL", "mgs%": "mg/dL", "g%": "g/dL", "gm%": "g/dL", "gms%": "g/dL", "gr%": "g/dL", "ug%": "ug/dL",
    "mcg%": "ug/dL", "mg/100ml": "mg/dL", "g/100ml": "g/dL", "meq": "meq", "kg/m^2": "kg/m2", "kg/m2": "kg/m2",
    "kg/sqm": "kg/m2", "nl": "/nL", "titer": "{titer}", "{index_val}": "{index}",
}  # fmt: skip
"""Spellings in lower case without spaces, to UCUM."""
CHINESE = (
    ("微摩尔", "umol"), ("毫摩尔", "mmol"), ("纳摩尔", "nmol"), ("皮摩尔", "pmol"), ("摩尔", "mol"), ("毫当量", "meq"),
    ("毫渗", "mosm"), ("国际单位", "IU"), ("微单位", "uU"), ("单位", "U"), ("微克", "ug"), ("毫克", "mg"),
    ("纳克", "ng"), ("皮克", "pg"), ("千克", "kg"), ("克", "g"), ("分升", "dL"), ("毫升", "mL"), ("微升", "uL"),
    ("升", "L"), ("小时", "h"), ("分钟", "min"), ("秒", "s"), ("每", "/"),
)  # fmt: skip
ATOMS = {
    "g": "g", "gm": "g", "gms": "g", "mol": "mol", "eq": "eq", "osm": "osm", "osmol": "osm", "m": "m", "l": "L",
    "ltr": "L", "s": "s", "sec": "s", "min": "min", "h": "h", "hr": "h", "hrs": "h", "hour": "h", "d": "d", "day": "d",
    "e": "U", "ie": "[IU]", "gram": "g", "grams": "g",
    "u": "U", "iu": "[IU]", "unit": "U", "units": "U", "kat": "kat", "pa": "Pa", "%": "%", "24h": "(24.h)",
    "24hr": "(24.h)", "24hrs": "(24.h)", "24hours": "(24.h)", "hpf": "[HPF]", "lpf": "[LPF]", "cc": "mL", "wk": "wk",
    "arb'u": "[arb'U]", "[arb'u]": "[arb'U]", "[iu]": "[IU]", "(24.h)": "(24.h)", "100ml": "dL",
}  # fmt: skip
PREFIXES = {"k": "k", "d": "d", "c": "c", "m": "m", "u": "u", "mc": "u", "n": "n", "p": "p", "f": "f"}
_PREFIXED = {"c": ("m",), "d": ("l", "m")}
"""Prefixes that are used with few units only."""
COUNTS = {
    "k": 3, "thou": 3, "thous": 3, "thousand": 3, "thousands": 3, "tsd": 3, "th": 3, "千": 3, "m": 6, "mil": 6,
    "mill": 6, "million": 6, "millions": 6, "mio": 6, "lakh": 5, "lakhs": 5, "lac": 5, "lacs": 5, "万": 4, "亿": 8,
    "百万": 6, "bil": 9, "billion": 9, "giga": 9, "g": 9, "gpt": 9, "t": 12, "tpt": 12, "tera": 12, "百": 2, "十亿": 9,
}  # fmt: skip
"""Words for a power of ten before a volume."""
_SHORT_COUNTS = {"k": "10*3/uL", "thou": "10*3/uL", "thousand": "10*3/uL", "m": "10*6/uL", "mil": "10*6/uL"}
"""What stands for a count per microlitre without naming the volume: "Plt 150K"."""
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_VOLUMES = {
    "ul": "uL", "cumm": "uL", "cmm": "uL", "mm3": "uL", "mm^3": "uL", "mm*3": "uL", "cubicmm": "uL", "mcl": "uL",
    "mcul": "uL", "l": "L", "ml": "mL", "dl": "dL", "nl": "nL", "pl": "pL", "立方毫米": "uL",
}  # fmt: skip
_CELLS = r"(?:cells?|zellen|個|leu|ery|rbcs?|wbcs?|个|copies|plts?)?"
_VOLUME = "|".join(sorted(map(re.escape, _VOLUMES), key=len, reverse=True))
_POWER = re.compile(rf"^[x*]?10(?:\^|\*\*|\*|e\+?|exp|\(|\^\()?(3|4|5|6|8|9|12)\)?\.?{_CELLS}/?(?:per)?({_VOLUME})$")
_WORD = re.compile(rf"^[x*]?({'|'.join(sorted(COUNTS, key=len, reverse=True))})\.?{_CELLS}(?:/|per)({_VOLUME})$")
_PLAIN = re.compile(rf"^[x*]?(1|1000|1,000|100)?{_CELLS}(?:/|per)({_VOLUME})$")
_NOTE = re.compile(r"(?:feu|ddu|creatinine|creatinin|creat|crea|kreatinin|krea|kre|cr|hb|hgb|ser|protein)$")
_PREFIX_WORDS = {"micro": "u", "milli": "m", "nano": "n", "pico": "p"}
_SPELLED_OUT = re.compile(r"(micro|milli|nano|pico)(?=mol|g|l|eq)")
_PER_BODY_SURFACE = re.compile(r"^ml/(?:min|\(min)[/.*]1[.,]73(?:m.*|sq.*|qm)?\)?$")
_QUALIFIERS = {"feu": "{FEU}", "ddu": "{DDU}"}


@lru_cache(maxsize=4096)
def to_ucum(text: str, *, counts: bool = False) -> str:
    """Return the UCUM expression of a unit however it was written; empty for none.

    Args:
        counts: whether the quantity is a count per volume: then ``G/L`` means 10^9 and not grams per litre.

    Raises:
        NotUcum: if the spelling is not known.
    """
    plain = _plain(text)
    folded = _SPELLED_OUT.sub(lambda match: _PREFIX_WORDS[match[1]], plain.replace(" ", "").lower().rstrip("."))
    folded = folded.replace("(feu)", "feu").replace("(ddu)", "ddu").replace("d-du", "ddu").replace("cu.mm", "cumm")
    folded = folded.removesuffix("(ngsp)").removesuffix("(dcct)")
    if _PER_BODY_SURFACE.match(folded):
        return "mL/min/{1.73_m2}"
    if folded in ALIASES:
        return ALIASES[folded]
    if counts and folded in _SHORT_COUNTS:
        return _SHORT_COUNTS[folded]
    count = _count(folded)
    if count and (counts or folded[:2] not in ("g/", "t/")):
        return count
    compact = plain.replace(" ", "")
    if _is_ucum(compact):
        return compact
    folded_unit = _fold(_translate(folded))
    if folded_unit is None or not _is_ucum(folded_unit):
        raise NotUcum(text)
    return folded_unit


def _plain(text: str) -> str:
    """Normalise superscripts, full-width forms, the micro sign, multiplication signs and spaces."""
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    text = re.sub(r"(10)\s?([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", r"\1^\2", text).translate(_SUPERSCRIPTS)
    text = unicodedata.normalize("NFKC", text.replace("µ", "u").replace("μ", "u"))
    for sign, plain in (("μ", "u"), ("×", "x"), ("✕", "x"), ("·", "."), ("⋅", "."), ("∙", "."), ("∕", "/"), ("⁄", "/")):
        text = text.replace(sign, plain)
    return " ".join(text.split())


def _is_ucum(text: str) -> bool:
    if text.startswith("K/"):  # thousands, not kelvin; not a volume that is known
        return False
    try:
        parse(text)
    except NotUcum:
        return False
    return True


def _count(folded: str) -> str:
    """Return 10*N per volume for the spellings of cell counts, else an empty text."""
    if match := _POWER.match(folded):
        return f"10*{match[1]}/{_VOLUMES[match[2]]}"
    if match := _WORD.match(folded):
        return f"10*{COUNTS[match[1]]}/{_VOLUMES[match[2]]}"
    if (match := _PLAIN.match(folded)) and match[2] not in ("pl", "nl"):
        power = {"1000": "10*3", "1,000": "10*3", "100": "10*2"}.get(match[1] or "", "")
        return f"{power}/{_VOLUMES[match[2]]}"
    if match := re.match(rf"^{_CELLS}/(nl|pl)$", folded):
        return f"/{_VOLUMES[match[1]]}"
    return ""


def _translate(folded: str) -> str:
    for chinese, unit in CHINESE:
        folded = folded.replace(chinese, unit.lower())
    return folded.replace("per", "/") if re.search(r"[a-z]per[a-z]", folded) else folded


def _fold(folded: str) -> str | None:
    """Return the case-sensitive spelling of a unit in any case; milli is meant by m, never mega."""
    folded = folded.replace("(24.h)", "24h").removesuffix("h2o")
    parts = [
        part if part in "/." else "." if part == "*" else _fold_part(part) for part in re.split(r"([/*.])", folded)
    ]
    return None if None in parts else "".join(part for part in parts if part)


def _fold_part(part: str) -> str | None:
    """Return one factor of a unit with its annotation, or None if it is not known."""
    if (atom := _fold_atom(part)) is not None:
        return atom
    bare = re.sub(r"\{[^{}]*\}$", "", part)
    note = part[len(bare) :]
    if not note and (match := _NOTE.search(part)):
        bare, note = part[: match.start()], _QUALIFIERS.get(match[0], f"{{{match[0]}}}")
    atom = _fold_atom(bare)
    return None if atom is None else atom + note


def _fold_atom(part: str) -> str | None:
    if part in ATOMS:
        return ATOMS[part]
    for prefix, canonical in PREFIXES.items():
        rest = part.removeprefix(prefix)
        if rest != part and rest in ATOMS and (prefix not in _PREFIXED or rest in _PREFIXED[prefix]):
            return canonical + ATOMS[rest] if ATOMS[rest][0] not in "(%[" or ATOMS[rest] == "[IU]" else None
    return None

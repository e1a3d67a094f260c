"""Dose, route and frequency of a medication, as written and in one spelling: UCUM units and plain words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+/\d+(?!\d)|\d*\.\d+|\d+)"
_RANGE = rf"(?P<low>{_NUMBER})(?:\s*(?:-|–|to|~|至)\s*(?P<high>{_NUMBER}))?"
_UNITS = {
    r"mcg|µg|μg|ug|micrograms?|微克": "ug", r"mg|milligrams?|毫克": "mg", r"g|gm|gms|grams?|克": "g", r"kg": "kg", r"ng": "ng",
    r"ml|cc|millilit(?:er|re)s?|毫升": "mL", r"l|lit(?:er|re)s?|升": "L", r"meq": "meq", r"mmol": "mmol",
    r"units?|u|iu|i\.u\.|international units?|单位|国际单位": "[iU]", r"万单位|万u": "10*4.[iU]",
    r"puffs?|inhalations?|吸|揿": "{puff}", r"sprays?|喷": "{spray}", r"drops?|gtts?|滴": "[drp]",
    r"tablets?|tabs?|tbl|片": "{tbl}", r"capsules?|caps?|粒": "{cap}", r"patch(?:es)?|贴": "{patch}",
    r"suppositor(?:y|ies)|枚": "{supp}", r"ampoules?|amps?|vials?|支": "{ampule}", r"%": "%",
}  # fmt: skip
"""Unit as written (a pattern) to UCUM."""
_PER = {
    r"kg": "kg", r"m2|m²|sqm|sq\.? m": "m2", r"h|hr|hour|小时": "h", r"min|minute|分钟|分": "min", r"day|d|天|日": "d",
    r"ml|毫升": "mL", r"l": "L", r"dose|次": "{dose}", r"week|周": "wk",
}  # fmt: skip
_UNIT = "|".join(sorted((f"(?:{pattern})" for pattern in _UNITS), key=len, reverse=True))
_PER_UNIT = "|".join(f"(?:{pattern})" for pattern in _PER)
_DOSE = re.compile(
    rf"(?<![A-Za-z0-9_.,/-]){_RANGE}\s*-?(?P<unit>{_UNIT})(?P<per>(?:\s*(?:/|\bper\b)\s*(?:{_PER_UNIT})(?![A-Za-z])){{0,2}})(?![A-Za-z])",
    re.I,
)
_COUNT = re.compile(
    r"\b(?P<low>one-half|half|one|two|three|four)(?: a)? (?P<unit>tablets?|tabs?|capsules?|puffs?|drops?|sprays?|patch(?:es)?|units?)\b|"
    r"(?P<zh>[半一二两三四])(?P<zh_unit>片|粒|支|喷|吸|滴)",
    re.I,
)
_COUNTS = {
    "one-half": 0.5, "half": 0.5, "1/2": 0.5, "½": 0.5, "1-1/2": 1.5, "1.5": 1.5, "one and a half": 1.5, "one and one-half": 1.5,
    "two": 2, "2": 2, "three": 3, "3": 3, "four": 4, "4": 4,
}  # fmt: skip
_TABLETS = re.compile(
    r"\s*(?:(?:tablets?|tabs?|capsules?|caps?|pills?)\b)?[,.]?\s*(?:takes?\s+|x\s*)?"
    r"(one and (?:a|one)-?\s?half|one-half|half|1-1/2|1/2|½|1\.5|two|three|four|[234])\s+(?:of\s+)?(?:an?\s+)?(?:tablets?|tabs?|capsules?|caps?|pills?)\b",
    re.IGNORECASE,
)
"""How many tablets of the strength before are taken ("25 mg one-half tablet"): the dose is their product."""
_WORDS = {"one-half": "0.5", "half": "0.5", "半": "0.5", "one": "1", "一": "1", "two": "2", "二": "2", "两": "2", "three": "3", "三": "3", "four": "4", "四": "4"}  # fmt: skip
_BARE = re.compile(
    rf"^\s*(?P<low>{_NUMBER})(?=\s*(?:p\.?o|iv|im|qd|q\.d|daily|b\.?i\.?d|t\.?i\.?d|q\.?i\.?d|q\d|qhs|once|twice|at bed)\b)",
    re.I,
)
"""A number without a unit directly before a route or frequency: "metoprolol 25 bid"."""
_ROUTES = {
    "oral": r"p\.\s?o\.?|po|orally|by mouth|per os|oral|口服|吞服|po\.",
    "intravenous": r"i\.\s?v\.?|iv|ivp|ivpb|intravenous(?:ly)?|iv push|静滴|静脉滴注|静脉注射|静脉推注|静推|静脉|ivgtt|入壶",
    "intramuscular": r"i\.\s?m\.?|im|intramuscular(?:ly)?|肌注|肌内注射|肌肉注射",
    "subcutaneous": r"s\.\s?c\.?|sc|sq|subq|sub-?q|sub ?cut|subcutaneous(?:ly)?|皮下注射|皮下|ih",
    "sublingual": r"s\.\s?l\.?|sl|sublingual(?:ly)?|舌下含服|舌下|含服",
    "inhalation": r"inhaled?|by inhalation|nebuli[sz]ed|nebuli[sz]ers?|nebs?|via nebulizer|mdi|inhalations?|puffs?|吸入|雾化",
    "rectal": r"p\.\s?r\.|rectal(?:ly)?|per rectum|直肠|塞肛|灌肠",
    "topical": r"topical(?:ly)?|applied to (?:the )?skin|cream|ointment|lotion|外用|外敷|涂",
    "transdermal": r"transdermal(?:ly)?|patch(?:es)?|贴剂|透皮",
    "nasal": r"nasal(?:ly)?|intranasal(?:ly)?|nasal spray|喷鼻|滴鼻",
    "ophthalmic": r"ophthalmic|eye drops?|in (?:both|the right|the left|each) eyes?|滴眼|o\.?[dsu]\.?(?= drops)",
    "otic": r"otic|ear drops?|滴耳",
    "vaginal": r"vaginal(?:ly)?|阴道",
    "intrathecal": r"intrathecal(?:ly)?|鞘内",
    "epidural": r"epidural(?:ly)?|硬膜外",
    "intra-articular": r"intra-?articular(?:ly)?|关节腔",
    "per tube": r"per (?:g-?tube|peg|ng ?t?(?:ube)?|tube|feeding tube)|via (?:g-?tube|peg|ng ?t?(?:ube)?)|鼻饲",
}
_ROUTE = {
    name: re.compile(rf"(?:(?<![A-Za-z.])|(?=[\u4e00-\u9fff]))(?:{pattern})(?:(?![A-Za-z])|(?<=[\u4e00-\u9fff]))", re.I)
    for name, pattern in _ROUTES.items()
}
_LED = {
    name: re.compile(rf"(?<![A-Za-z.])(?:{pattern})\s*$", re.I)
    for name, pattern in _ROUTES.items()
    if name in ("oral", "intravenous", "intramuscular", "subcutaneous", "topical", "transdermal", "intrathecal")
}
"""Routes that stand right before a medication ("oral Zithromax and nebulizer treatments")."""
_ZH_NUMBER = {
    "一": 1,
    "1": 1,
    "两": 2,
    "二": 2,
    "2": 2,
    "三": 3,
    "3": 3,
    "四": 4,
    "4": 4,
    "五": 5,
    "5": 5,
    "六": 6,
    "6": 6,
}
_TIMES = {
    1: "daily",
    2: "twice daily",
    3: "three times daily",
    4: "four times daily",
    5: "five times daily",
    6: "six times daily",
}
_FREQUENCIES = (
    (r"\bq\.?\s?(?P<n>\d{1,2})(?:\s?-\s?(?P<m>\d{1,2}))?\s?\.?h(?:ours?|rs?)?\b\.?", "every {n} hours"),
    (r"\bq\.?\s?(?P<n>\d{1,2})(?:\s?-\s?(?P<m>\d{1,2}))?\s?min(?:utes?)?\b", "every {n} minutes"),
    (r"\bq\.?\s?(?P<n>\d{1,2})\s?d(?:ays?)?\b|\bevery (?P<n2>\d{1,2}) days?\b", "every {n} days"),
    (
        r"\bevery (?P<n>\d{1,2}|four|six|eight|twelve|two|three)(?:\s?(?:-|to)\s?(?P<m>\d{1,2}|six|eight|four))? h(?:ou)?rs?\b",
        "every {n} hours",
    ),
    (r"\bevery (?P<n>\d{1,2}|two|three|four|six) weeks?\b|\bq\.?\s?(?P<n2>\d{1,2})\s?w(?:ee)?ks?\b", "every {n} weeks"),
    (r"每(?:隔)?(?P<n>\d{1,2})小时", "every {n} hours"),
    (r"\bevery other day\b|\bq\.?\s?o\.?d\b\.?|\balternate days\b|隔日|隔天|qod", "every other day"),
    (r"\b(?:twice|two times|2 times|2x) (?:a |per |/)?(?:week|weekly)\b|每周(?:两|二|2)次", "twice weekly"),
    (r"\b(?:three times|3 times|3x) (?:a |per |/)?(?:week|weekly)\b|每周(?:三|3)次|\btiw\b", "three times weekly"),
    (
        r"\bweekly\b|\bonce (?:a |per )?week\b|\ba week\b(?! ago|'s)|\beach week\b|\bq\.?\s?w(?:ee)?k(?:ly)?\b|\bevery week\b|\bper week\b|每周(?:一|1)?次?",
        "weekly",
    ),
    (r"\bmonthly\b|\bonce a month\b|\bevery month\b|\bq\.?\s?month(?:ly)?\b|每月(?:一|1)?次?", "monthly"),
    (
        r"\b(?:twice|two times|2 times|2x)(?: a| per|/)? ?(?:daily|day)\b|\bb\.?\s?i\.?\s?d\b\.?|\bbd\b|\bbds\b",
        "twice daily",
    ),
    (
        r"\b(?:three times|thrice|3 times|3x)(?: a| per|/)? ?(?:daily|day)\b|\bt\.?\s?i\.?\s?d\b\.?|\btds\b",
        "three times daily",
    ),
    (r"\b(?:four times|4 times|4x)(?: a| per|/)? ?(?:daily|day)\b|\bq\.?\s?i\.?\s?d\b\.?|\bqds\b", "four times daily"),
    (r"(?:每日|每天|一日|日)(?P<zh>[一二两三四五六1-6])次|(?P<zh2>[一二两三四五六1-6])次\s?/\s?(?:日|天|d)", "zh"),
    (
        r"\b(?:every|each|in the) morning(?:,| and)(?: (?:\d+|one|two) \w+)? (?:every|each|in the|at) (?:evening|night|bedtime)\b|早晚各?一?次?",
        "twice daily",
    ),
    (
        r"\b(?:at|every|each) (?:bedtime|night)\b|\bq\.?\s?h\.?s\b\.?|\bh\.s\.|\bnightly\b|\bbefore bed\b|\bqn\b|每晚|睡前|晚上",
        "at bedtime",
    ),
    (r"\b(?:every|each|in the) evening\b|\bqpm\b|\bq\.p\.m\.", "every evening"),
    (r"\b(?:every|each|in the) morning\b|\bq\.?\s?a\.?m\b\.?|每早|每晨|晨服|早上", "every morning"),
    (
        r"\bwith (?:each )?meals?\b|\ba\.?c\b\.?(?= |$|,)|\bbefore meals\b|三餐(?:前|后|中)|餐前|餐后|饭前|饭后",
        "with meals",
    ),
    (
        r"\b(?:once )?(?:daily|a day|per day|every ?day|each day|q\.?\s?day)\b|\bq\.?\s?d\b\.?|\bo\.?d\b\.?(?= |$|,|\.)|/\s?day\b|每日|每天|一天",
        "daily",
    ),
    (r"\bhourly\b|每小时", "every hour"),
    (
        r"\bx\s?1\b|\bonce\b(?! (?:dry|the|he|she|it|this|these|they|we|stable|available|his|her|a\b))|\bstat\b|\bone dose\b|\bsingle dose\b|立即|一次性",
        "once",
    ),
)
_FREQUENCY = [(re.compile(pattern, re.I | re.A), words) for pattern, words in _FREQUENCIES]
_NEEDED = re.compile(
    r"\bp\.?\s?r\.?\s?n\b\.?|\bas needed\b|\bif needed\b|\bas necessary\b|\bwhen needed\b|必要时|需要时|按需",
    re.I | re.A,
)
_TITRATED = re.compile(
    r"\b(?:titrat\w+|adjust\w*|continue to check\b|increas\w+|follow\w*|return\w*|recheck\w*|see|call)\b[^.;]{0,25}$",
    re.IGNORECASE,
)
"""Before "as needed": what is done as needed is the change of the dose."""
_SAID = {"two": "2", "three": "3", "four": "4", "six": "6", "eight": "8", "twelve": "12"}


@dataclass(frozen=True)
class Dosage:
    """How a medication is taken; what a note does not say is empty.

    Attributes:
        dose: number and UCUM unit, "50 ug"; the number alone where the note has no unit.
        unit: UCUM.
        route, frequency: in words, one spelling for all ("oral", "twice daily").
        schedule: the frequency as written.
    """

    dose: str = ""
    unit: str = ""
    route: str = ""
    frequency: str = ""
    schedule: str = ""


_ARROW = r"\s*(?:-{1,2}>|→|⇒)\s*"
_AMOUNT = rf"{_NUMBER}\s*-?(?:{_UNIT})?(?![A-Za-z])"
_TAPER = re.compile(
    rf"{_AMOUNT}(?:\s*[A-Za-z×]*\s*\d*\s*(?:days?|d|weeks?)?)(?:(?:{_ARROW}|,?\s*then\s+){_AMOUNT}[^,.;>→，。；]{{0,20}}?){{2,}}(?:\s*[x×]\s*\d+\s*(?:days?|d|weeks?))?"
    rf"(?=[,.;\n，。；]|\s|$)",
    re.IGNORECASE,
)
"""A dose of more than two steps."""
_FORMER = re.compile(
    rf"(?:\bfrom\b|由|从)\s*{_AMOUNT}[^.;,，。；]{{0,20}}?(?:\bto\b|{_ARROW}|(?:增加|减少|增|减|加|加量|减量|改|调整|上调|下调|调)?(?:至|到|为))\s*(?={_NUMBER})|"
    rf"{_AMOUNT}[^.;,，。；\d]{{0,16}}?(?:{_ARROW}|\b(?:increased|decreased|reduced|raised|lowered|changed|titrated|up-?titrated|cut)(?: back| down| up)? to\s+|(?:增加|减少|增|减|加|加量|减量|改|调整|上调|下调|调)(?:至|到|为))(?={_NUMBER})",
    re.IGNORECASE,
)
"""A former dose, with the words that lead to the new one: "from 20 mg to" 40 mg."""


def dosage(after: str, before: str = "") -> Dosage:
    """Read the words around a medication's name.

    Args:
        after: from the name to the next medication or the end of the sentence.
        before: up to the name; only a dose directly before it counts ("500 mg of amoxicillin").
    """
    taper = _TAPER.search(after)
    if taper is not None:  # no single dose is true
        words = " ".join(taper[0].split())
        return Dosage(frequency=words, schedule=words)
    after = _FORMER.sub(" ", after)
    dose, unit = _dose(after)
    if not dose:
        lead = re.search(rf"({_NUMBER}\s*-?(?:{_UNIT}))\s*(?:of\s+)?(?:oral\s+|iv\s+)?$", before, re.I)
        dose, unit = _dose(lead[1]) if lead else ("", "")
    route = _first({name: pattern.search(after) for name, pattern in _ROUTE.items()})
    led = next((name for name, pattern in _LED.items() if pattern.search(before)), "")
    route = led or route
    if not route and re.search(r"(?:口服|服用)\s*$", before):
        route = "oral"
    frequency, schedule = _frequency(after)
    return Dosage(dose, unit, route, frequency, schedule)


def _dose(text: str) -> tuple[str, str]:
    """(dose, UCUM unit): the first amount, an amount of substance before a number of tablets."""
    matches = [match for match in _DOSE.finditer(text) if not _is_course(text, match)]
    weighed = [match for match in matches if not _ucum(match["unit"]).startswith("{")]
    match = next(iter(weighed or matches), None)
    if match is not None:
        unit = _ucum(match["unit"]) + "".join(f"/{_per(part)}" for part in _parts(match["per"]))
        numbers = [_plain(match[name]) for name in ("low", "high") if match[name]]
        count = _TABLETS.match(text, match.end()) if match in weighed and len(numbers) == 1 else None
        if count is not None and re.fullmatch(r"\d+(?:\.\d+)?", numbers[0]):
            numbers = [f"{float(numbers[0]) * _COUNTS[count[1].lower()]:g}"]
        return f"{'-'.join(numbers)} {unit}", unit
    counted = _COUNT.search(text)
    if counted is not None:
        unit = _ucum(counted["unit"] or counted["zh_unit"])
        return f"{_WORDS[(counted['low'] or counted['zh']).lower()]} {unit}", unit
    bare = _BARE.match(text)
    return (_plain(bare["low"]), "") if bare else ("", "")


def _is_course(text: str, match: re.Match[str]) -> bool:
    """Whether the number is a time or a quantity dispensed, not a dose ("#30 tablets", "dispense 30 tablets")."""
    return bool(re.search(r"(?:#|dispense[d]?|disp|quantity|no\.)\s*$", text[: match.start()], re.I))


def _parts(per: str) -> list[str]:
    return [part.strip().removeprefix("per ").strip() for part in re.split(r"/|\bper\b", per) if part.strip()]


@cache
def _ucum(written: str) -> str:
    return next(ucum for pattern, ucum in _UNITS.items() if re.fullmatch(pattern, written, re.I))


@cache
def _per(written: str) -> str:
    return next(ucum for pattern, ucum in _PER.items() if re.fullmatch(pattern, written, re.I))


def _plain(number: str) -> str:
    number = number.replace(",", "")
    return f"0{number}" if number.startswith(".") else number


def _first(matches: dict[str, re.Match[str] | None]) -> str:
    """The name of the pattern that matches first in the text."""
    found = {name: match.start() for name, match in matches.items() if match}
    return min(found, key=lambda name: found[name], default="")


def _frequency(text: str) -> tuple[str, str]:
    """(frequency in words, as written); "as needed" is added to a frequency or stands alone."""
    needed = _NEEDED.search(text)
    if needed is not None and _TITRATED.search(text[: needed.start()]):
        needed = None
    for pattern, words in _FREQUENCY:
        match = pattern.search(text)
        if match is not None:
            said = _written_out(match, words)
            return f"{said} as needed" if needed else said, match[0].strip()
    return ("as needed", needed[0].strip()) if needed else ("", "")


def _written_out(match: re.Match[str], words: str) -> str:
    groups = {name: value for name, value in match.groupdict().items() if value}
    if words == "zh":
        return _TIMES[_ZH_NUMBER[groups.get("zh") or groups["zh2"]]]
    number = groups.get("n") or groups.get("n2") or ""
    number = _SAID.get(number.lower(), number)
    if groups.get("m"):
        number = f"{number}-{_SAID.get(groups['m'].lower(), groups['m'])}"
    return words.format(n=number)

"""Doses, routes and frequencies in the reader's language; stored is one spelling for all: "1 {tbl}", "oral", "daily".

Other words, such as those that somebody typed, are shown as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import npgettext, pgettext_lazy

Words = Mapping[str, Promise | str]

ROUTES: Words = {
    "oral": pgettext_lazy("route", "oral"),
    "intravenous": pgettext_lazy("route", "intravenous"),
    "intramuscular": pgettext_lazy("route", "intramuscular"),
    "subcutaneous": pgettext_lazy("route", "subcutaneous"),
    "sublingual": pgettext_lazy("route", "sublingual"),
    "inhalation": pgettext_lazy("route", "inhalation"),
    "rectal": pgettext_lazy("route", "rectal"),
    "topical": pgettext_lazy("route", "topical"),
    "transdermal": pgettext_lazy("route", "transdermal"),
    "nasal": pgettext_lazy("route", "nasal"),
    "ophthalmic": pgettext_lazy("route", "ophthalmic"),
    "otic": pgettext_lazy("route", "otic"),
    "vaginal": pgettext_lazy("route", "vaginal"),
    "intrathecal": pgettext_lazy("route", "intrathecal"),
    "epidural": pgettext_lazy("route", "epidural"),
    "intra-articular": pgettext_lazy("route", "intra-articular"),
    "per tube": pgettext_lazy("route", "per tube"),
}
FREQUENCIES: Words = {
    "daily": pgettext_lazy("frequency", "daily"),
    "twice daily": pgettext_lazy("frequency", "twice daily"),
    "three times daily": pgettext_lazy("frequency", "three times daily"),
    "four times daily": pgettext_lazy("frequency", "four times daily"),
    "five times daily": pgettext_lazy("frequency", "five times daily"),
    "six times daily": pgettext_lazy("frequency", "six times daily"),
    "every other day": pgettext_lazy("frequency", "every other day"),
    "weekly": pgettext_lazy("frequency", "weekly"),
    "twice weekly": pgettext_lazy("frequency", "twice weekly"),
    "three times weekly": pgettext_lazy("frequency", "three times weekly"),
    "monthly": pgettext_lazy("frequency", "monthly"),
    "at bedtime": pgettext_lazy("frequency", "at bedtime"),
    "every morning": pgettext_lazy("frequency", "every morning"),
    "every evening": pgettext_lazy("frequency", "every evening"),
    "not as prescribed": pgettext_lazy("frequency", "not as prescribed"),
    "with meals": pgettext_lazy("frequency", "with meals"),
    "every hour": pgettext_lazy("frequency", "every hour"),
    "once": pgettext_lazy("frequency", "once"),
    "as needed": pgettext_lazy("frequency", "as needed"),
}
INTERVALS: Words = {
    "every %(n)s minutes": pgettext_lazy("frequency", "every %(n)s minutes"),
    "every %(n)s hours": pgettext_lazy("frequency", "every %(n)s hours"),
    "every %(n)s days": pgettext_lazy("frequency", "every %(n)s days"),
    "every %(n)s weeks": pgettext_lazy("frequency", "every %(n)s weeks"),
}
NEEDED = "%(frequency)s as needed"
NEEDED_WORDS = pgettext_lazy("frequency", "%(frequency)s as needed")
NOT_SO = "%(frequency)s, not as prescribed"
NOT_SO_WORDS = pgettext_lazy("frequency", "%(frequency)s, not as prescribed")
_DOSE = re.compile(r"(?P<number>[\d.,/-]+) (?P<unit>\{\w+\}|\[\w+\])(?P<per>(?:/\S+)?)")
_SHOWN_DOSE = re.compile(r"(?P<number>[\d.,/-]+) ?(?P<unit>[^\W\d]+)(?P<per>(?:/\S+)?)")
_COUNT = r"\d{1,3}(?:-\d{1,3})?"


def shown_dose(dose: str) -> str:
    """Return a stored dose in the current language: "1 {tbl}" as "1 tablet", "10 [iU]/h" as "10 units/h"."""
    match = _DOSE.fullmatch(dose)
    if match is None or match["unit"] not in _unit_words(1):
        return dose
    number = 1 if match["number"] == "1" else 2
    return f"{match['number']} {_unit_words(number)[match['unit']]}{match['per']}"


def stored_dose(words: str) -> str:
    """Return the stored spelling of a dose that a form shows in the current language; other words as they are."""
    match = _SHOWN_DOSE.fullmatch(" ".join(words.split()))
    if match is None:
        return words
    unit = match["unit"].casefold()
    names = {name.casefold(): ucum for number in (1, 2) for ucum, name in _unit_words(number).items()}
    return f"{match['number']} {names[unit]}{match['per']}" if unit in names else words


def _unit_words(number: int) -> dict[str, str]:
    """What people call UCUM's annotations and arbitrary units; other units are shown as they are."""
    return {
        "{tbl}": npgettext("dose", "tablet", "tablets", number),
        "{cap}": npgettext("dose", "capsule", "capsules", number),
        "{puff}": npgettext("dose", "puff", "puffs", number),
        "{spray}": npgettext("dose", "spray", "sprays", number),
        "{patch}": npgettext("dose", "patch", "patches", number),
        "{supp}": npgettext("dose", "suppository", "suppositories", number),
        "{ampule}": npgettext("dose", "ampoule", "ampoules", number),
        "{dose}": npgettext("dose", "dose", "doses", number),
        "[drp]": npgettext("dose", "drop", "drops", number),
        "[iU]": npgettext("dose", "unit", "units", number),
    }


def shown_route(route: str) -> str:
    """Return a stored route in the current language."""
    return str(ROUTES.get(route, route))


def shown_frequency(frequency: str) -> str:
    """Return a stored frequency in the current language."""
    if frequency in FREQUENCIES:
        return str(FREQUENCIES[frequency])
    for stored, words in INTERVALS.items():
        if match := _match(stored, "n", _COUNT, frequency):
            return str(words) % {"n": match}
    if match := _match(NOT_SO, "frequency", ".+", frequency):
        return str(NOT_SO_WORDS) % {"frequency": shown_frequency(match)}
    if match := _match(NEEDED, "frequency", ".+", frequency):
        return str(NEEDED_WORDS) % {"frequency": shown_frequency(match)}
    return frequency


def shown_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a statement with dose, route and frequency in the current language."""
    words = {
        "dose": shown_dose(entry.get("dose", "")),
        "route": shown_route(entry.get("route", "")),
        "frequency": shown_frequency(entry.get("frequency", "")),
    }
    return {**entry, **words}


def stored_route(words: str) -> str:
    """Return the stored spelling of a route that a form shows in the current language."""
    return _stored(ROUTES, words)


def stored_frequency(words: str) -> str:
    """Return the stored spelling of a frequency that a form shows in the current language."""
    for stored, shown in INTERVALS.items():
        if match := _match(str(shown), "n", _COUNT, words):
            return stored % {"n": match}
    if match := _match(str(NOT_SO_WORDS), "frequency", ".+", words):
        return NOT_SO % {"frequency": stored_frequency(match)}
    if match := _match(str(NEEDED_WORDS), "frequency", ".+", words):
        return NEEDED % {"frequency": stored_frequency(match)}
    return _stored(FREQUENCIES, words)


def shown_dosage(details: Mapping[str, Any]) -> list[str]:
    """Return dose, route and frequency in the current language, without those that are not known."""
    shown: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("dose", shown_dose),
        ("route", shown_route),
        ("frequency", shown_frequency),
    )
    return [show(str(details[name])) for name, show in shown if details.get(name)]


def _stored(choices: Words, words: str) -> str:
    key = words.casefold()
    return next((stored for stored, shown in choices.items() if key in (str(shown).casefold(), stored)), words)


def _match(template: str, name: str, pattern: str, text: str) -> str:
    """Return what stands in the place of ``%(name)s``, or an empty text if the text does not follow the template."""
    before, _mark, after = template.partition(f"%({name})s")
    match = re.fullmatch(f"{re.escape(before)}({pattern}){re.escape(after)}", text, re.IGNORECASE)
    return match[1] if match else ""

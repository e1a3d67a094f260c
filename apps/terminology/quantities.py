"""The one reader of measured values, for typed entry, CSV, FHIR, HL7 and notes.

How to use it::

    reading = read_quantity("Platelets", "150,000", "/uL")
    reading.state, reading.value, reading.unit     # "taken", 150.0, "10*3/uL"

``code`` is a LOINC code, or a name or an abbreviation in English or Chinese; ``value`` is the text as written, with
comparator, separators or a unit behind it, or a JSON number. A value is *taken* if it can mean one thing only, *asked*
about if it may mean several (``reading.choices``) or is so rare that a typing error is likelier, and *refused* if it is
impossible or no value of this measurement. ``reading.reason`` is a reason code for ``apps.jobs.errors.message``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import product

from apps.terminology.loinc import Measure, find_measures, fits_specimen, folded, split_specimen
from apps.terminology.numbers import NotANumber, Number, read_number, without_letter_flag
from apps.terminology.units import SHOWN, UnknownUnit, canonical, convert


class State(StrEnum):
    """What may be done with a value."""

    TAKEN = "taken"
    ASK = "ask"
    REFUSED = "refused"


@dataclass(frozen=True)
class Choice:
    """One reading of an ambiguous value: the number in the measurement's unit, and the reading as written out."""

    value: float
    text: str


@dataclass(frozen=True)
class Reading:
    """A value that was read.

    Attributes:
        value: in ``unit``; None unless the state is ``taken``.
        unit: UCUM unit of the measurement; empty if the measurement is not known.
        comparator: FHIR's ``<``, ``<=``, ``>``, ``>=`` or empty: the true value lies below or above ``value``.
        reason: reason code, with its parameters; empty for a value that was taken as it stands.
        choices: the possible readings of a value that is asked about.
    """

    state: State
    measure: Measure | None = None
    value: float | None = None
    comparator: str = ""
    reason: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()

    @property
    def unit(self) -> str:
        """UCUM unit of the value."""
        return self.measure.unit if self.measure is not None else ""


@dataclass(frozen=True)
class _Candidate:
    """A number in one of the units that it may have, converted; ``listed`` if that unit was given or is the usual."""

    written: float
    unit: str
    value: float
    listed: bool


def refused(reason: str, measure: Measure | None = None, **parameters: str) -> Reading:
    """Return a refusal with its reason code."""
    return Reading(State.REFUSED, measure, reason=reason, parameters=parameters)


def asked(reason: str, measure: Measure | None = None, **parameters: str) -> Reading:
    """Return a question with its reason code."""
    return Reading(State.ASK, measure, reason=reason, parameters=parameters)


def read_quantity(code: str, value: object, unit: str = "", *, specimen: str = "", comparator: str = "") -> Reading:
    """Read a value of the measurement that a code or name denotes.

    Args:
        specimen: as named beside the value ("Urine"); a value of another specimen is not recorded as this measurement.
        comparator: given apart from the value, as FHIR does.
    """
    found = _measure_of(code, unit, specimen)
    if isinstance(found, Reading):
        return found
    return read_measure(found, value, unit, comparator=comparator)


def read_measure(measure: Measure, value: object, unit: str = "", *, comparator: str = "") -> Reading:
    """Read a value of a known measurement."""
    try:
        number, unit = _number_and_unit(measure, value, unit)
    except NotANumber as problem:
        return refused(problem.code, measure, value=str(value)[:40])
    number, unit, remark = _joined(measure, number, unit)
    if number.comparator and comparator and number.comparator != comparator:
        return asked("value_comparators", measure, first=comparator, second=number.comparator)
    number = replace(number, comparator=comparator or number.comparator)
    try:
        if number.unit and unit != number.unit and canonical(number.unit, measure) != canonical(unit, measure):
            return asked("value_two_units", measure, first=number.unit[:40], second=unit[:40])
        candidates = _candidates(measure, number, unit)
    except UnknownUnit as problem:
        return refused(problem.reason, measure, unit=unit[:40], expected=shown(measure.unit))
    reading = _decided(measure, number, candidates, str(value))
    return _with_remark(reading, number, str(value)) if remark else reading


def shown(unit: str) -> str:
    """Return a UCUM unit as it is displayed."""
    return SHOWN.get(unit, unit)


def _joined(measure: Measure, number: Number, unit: str) -> tuple[Number, str, bool]:
    """Return the number, its unit, and whether a remark stands behind the number ("4.2 (hemolyzed)").

    A multiplier behind the number belongs to the unit: "15万" of "/µL" are 15 of "万/µL".
    """
    if number.unit and not unit.strip():
        return number, number.unit, False
    if number.unit and unit.strip().startswith("/") and number.unit.lower() in _MULTIPLIERS:
        return replace(number, unit=""), number.unit + unit.strip(), False
    try:
        canonical(number.unit, measure)
    except UnknownUnit:
        return replace(number, unit=""), unit, True
    return number, unit, False


def _with_remark(reading: Reading, number: Number, written: str) -> Reading:
    """Turn a value with a remark into a question: the remark may say that it is not to be trusted."""
    if reading.state != State.TAKEN or reading.value is None:
        return reading
    sign = f"{number.comparator} " if number.comparator else ""
    choice = Choice(reading.value, f"{sign}{reading.value:.10g} {shown(reading.unit)}".strip())
    parameters = {"value": written[:40]}
    return replace(
        reading, state=State.ASK, value=None, reason="value_remark", parameters=parameters, choices=(choice,)
    )


def plausibility(measure: Measure, value: float, comparator: str = "") -> str:
    """Return ``impossible``, ``rare`` or ``plausible`` for a value in the measurement's unit.

    A limit of detection ("below 0.5") is not rare however low it is: the true value is not that number.
    """
    slack = 1e-6 * abs(value)  # 0.21 of single precision is 20.9999993 %
    if not measure.minimum - slack <= value <= measure.maximum + slack:  # also rejects NaN
        return "impossible"
    below = measure.ask_below is not None and value < measure.ask_below and not comparator.startswith("<")
    above = measure.ask_above is not None and value > measure.ask_above and not comparator.startswith(">")
    return "rare" if below or above else "plausible"


def _measure_of(code: str, unit: str, specimen: str) -> Measure | Reading:
    """Return the measurement of this specimen, or why there is none."""
    measures = find_measures(code) if code.strip() else []
    if len(measures) > 1:
        wanted = [
            measure for measure in measures if _qualifier(measure.unit) and _qualifier(measure.unit) in unit.upper()
        ]
        measures = wanted or measures
    if not measures:
        return refused("value_code", given=code[:40])
    if len(measures) > 1:
        return asked("value_which", given=code[:40], titles="; ".join(measure.title["en"] for measure in measures))
    named = _named_specimen(specimen)
    if named is not None and not fits_specimen(measures[0], named):
        others = find_measures(f"{named} {split_specimen(folded(code))[1]}") if not code[:1].isdigit() else []
        if len(others) != 1 or others[0].code == measures[0].code:
            return refused("value_specimen", measures[0], specimen=specimen[:40], what=measures[0].title["en"])
        measures = others
    return measures[0]


def _qualifier(unit: str) -> str:
    match = re.search(r"\{(FEU|DDU)\}", unit)
    return match[1] if match else ""


def _named_specimen(specimen: str) -> str | None:
    """Return the kind of specimen that a text names, ``other`` if it is an unknown one, None if it is empty."""
    text = folded(specimen)
    if not text:
        return None
    kind, _rest = split_specimen(f"{text} x")
    return kind or "other"


def _number_and_unit(measure: Measure, value: object, unit: str) -> tuple[Number, str]:
    """Return the number as written and the unit given beside it.

    Raises:
        NotANumber: if the value is none.
    """
    if isinstance(value, bool) or value is None:
        raise NotANumber
    if isinstance(value, int | float):
        return Number((float(value),)), unit
    text = str(value)
    if compound := _compound(measure, text):
        return Number((compound,)), measure.unit
    if measure.unit == "{score}" and (score := _SCORE.match(text)) and float(score[2]) == measure.maximum:
        return Number((float(score[1]),)), measure.unit
    return read_number(without_letter_flag(text) if unit.strip() else text), unit


_COMPOUND = re.compile(
    r"^\s*(\d+)\s*(ft|feet|foot|'|′|st|stone|lbs?|pounds?|m)\.?\s*(\d+(?:\.\d+)?)\s*"
    r"(in|inch|inches|\"|″|''|lbs?|oz|ounces?|cm)?\s*$",
    re.IGNORECASE,
)
_MULTIPLIERS = ("万", "千", "百万", "亿", "k", "m", "thou", "lakh", "lac")
_SCORE = re.compile(r"^\s*(\d{1,2})\s*/\s*(\d{1,2})\s*$")
"""A score out of its highest: GCS 15/15, pain 7/10."""
_SMALLER = {"ft": "in", "feet": "in", "foot": "in", "'": "in", "′": "in", "st": "lb", "stone": "lb", "m": "cm"}


def _compound(measure: Measure, text: str) -> float | None:
    """Return a length or a weight in two units, such as 5'10", 1m75 or 6 lb 4 oz, in the measurement's unit."""
    match = _COMPOUND.match(text)
    if match is None or measure.unit not in ("cm", "kg"):
        return None
    smaller = match[4] or _SMALLER.get(match[2].lower(), "oz")
    try:
        first = convert(float(match[1]), match[2], measure)
        return first + convert(float(match[3]), {"″": '"', "''": '"'}.get(smaller, smaller), measure)
    except UnknownUnit:
        return None


def _candidates(measure: Measure, number: Number, unit: str) -> list[_Candidate]:
    """Return every reading of the number in every unit that it may have.

    Raises:
        UnknownUnit: if a unit was given that does not fit.
    """
    given = canonical(unit, measure)
    units = [given] if given else [measure.unit, *measure.units]
    return [
        _Candidate(reading, name, float(f"{convert(reading, name, measure):.9g}"), name == units[0])
        for name, reading in product(units, number.readings)
    ]


def _decided(measure: Measure, number: Number, candidates: list[_Candidate], written: str) -> Reading:
    """Take the only plausible reading; ask if there are several or only rare ones; refuse if none is possible."""
    kinds = {kind: _distinct(measure, number, candidates, kind) for kind in ("plausible", "rare", "impossible")}
    plausible, rare = kinds["plausible"], kinds["rare"]
    if not plausible and not rare:
        return _impossible(measure, candidates[0])
    choices = tuple(_choice(measure, number, candidate, written) for candidate in plausible or rare)
    question = Reading(State.ASK, measure, comparator=number.comparator, choices=choices)
    if number.approximate:
        return replace(question, reason="value_approximate", parameters={"value": written[:40]})
    if len(plausible) > 1:
        return replace(question, reason="value_ambiguous", parameters=_readings(written, choices))
    if not plausible:
        return replace(question, reason="value_rare", parameters=_limits(measure, rare[0].value))
    taken = plausible[0]
    if not taken.listed and any(candidate.listed for candidate in rare):
        choices = tuple(_choice(measure, number, candidate, written) for candidate in [taken, *rare])
        return replace(question, choices=choices, reason="value_ambiguous", parameters=_readings(written, choices))
    return Reading(State.TAKEN, measure, taken.value, number.comparator)


def _distinct(measure: Measure, number: Number, candidates: list[_Candidate], kind: str) -> list[_Candidate]:
    """Return the candidates of one plausibility, without those that mean the same value."""
    kept: dict[float, _Candidate] = {}
    for candidate in candidates:
        if plausibility(measure, candidate.value, number.comparator) == kind:
            known = kept.get(candidate.value)
            if known is None or (candidate.listed and not known.listed):
                kept[candidate.value] = candidate
    return list(kept.values())


def _impossible(measure: Measure, candidate: _Candidate) -> Reading:
    return refused("value_impossible", measure, **_limits(measure, candidate.value))


def _limits(measure: Measure, value: float) -> dict[str, str]:
    return {
        "value": f"{value:g}",
        "unit": shown(measure.unit),
        "least": f"{measure.minimum:g}",
        "most": f"{measure.maximum:g}",
    }


def _readings(written: str, choices: tuple[Choice, ...]) -> dict[str, str]:
    return {"value": written[:40], "readings": "; ".join(choice.text for choice in choices)}


def _choice(measure: Measure, number: Number, candidate: _Candidate, written: str) -> Choice:
    """Write out a reading: the number in its unit, and converted if that is another one."""
    sign = f"{number.comparator} " if number.comparator else ""
    text = f"{sign}{candidate.written:,.10g} {shown(candidate.unit)}".replace(",", "\u202f").strip()
    if candidate.unit != measure.unit:
        text += f" = {sign}{candidate.value:.4g} {shown(measure.unit)}"
    return Choice(candidate.value, text)

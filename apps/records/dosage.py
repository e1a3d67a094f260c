"""Doses as typed: a number with a unit, in UCUM where the unit is one."""

from __future__ import annotations

import re

from apps.jobs.errors import UserError
from apps.terminology.numbers import NotANumber, read_number
from apps.terminology.ucum import NotUcum
from apps.terminology.unit_spellings import to_ucum

MAX_CHARACTERS = 120


def parse_dose(text: str) -> tuple[str, str]:
    """Return the dose with its unit in UCUM, and the unit: ``("50 ug", "ug")`` for "50 mcg".

    Words without a number ("one tablet") and units that are not UCUM's ("2 puffs") stay as written.

    Raises:
        UserError: ``dose_unit`` for a bare number, ``dose_ambiguous`` for a number that may mean two things.
    """
    text = " ".join(text.split())[:MAX_CHARACTERS]
    if not re.search(r"\d", text):
        return text, ""
    try:
        number = read_number(text)
    except NotANumber:
        return text, ""  # "5-10 mg", "1/2 tablet"
    if len(number.readings) > 1:
        readings = " / ".join(f"{reading:.10g}" for reading in number.readings)
        raise UserError("dose_ambiguous", dose=text[:40], readings=readings)
    if not number.unit:
        raise UserError("dose_unit", dose=text[:40])
    try:
        unit = to_ucum(number.unit)
    except NotUcum:
        return text, ""
    return f"{number.comparator}{number.readings[0]:.10g} {unit}", unit

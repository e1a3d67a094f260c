"""Complications of diabetes: a name without a type has the code of type 2, which the note's own type corrects."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from apps.notes.nlp.assertions import HISTORICAL, PRESENT
from apps.terminology.conditions import conditions

if TYPE_CHECKING:
    from apps.notes.nlp.reader import Mention

_TYPE_2 = re.compile(r"\b(?:2|II|T2|T2DM|DM2|NIDDM)\b|2型|Ⅱ型", re.IGNORECASE)
DIABETES = re.compile(r"E(?:08|09|10|11|13)\.")
TYPE_1, TYPE_2 = "E10", "E11"


def with_type(mentions: Sequence[Mention]) -> list[Mention]:
    """Give complications the type of diabetes that the note names; a note with both types, or none, keeps its codes."""
    return _with_complication(_with_own_type(mentions))


def _with_own_type(mentions: Sequence[Mention]) -> list[Mention]:
    said = {str(row.details["code"])[:3] for row in mentions if _is_patients(row) and not _has_default_type(row)}
    if TYPE_1 not in said or TYPE_2 in said:
        return list(mentions)
    return [_of_type_1(row) if _is_patients(row) and _has_default_type(row) else row for row in mentions]


def _with_complication(mentions: list[Mention]) -> list[Mention]:
    """Diabetes "without complications" is the one whose complication the note names."""
    codes = [str(row.details["code"]) for row in mentions if _is_patients(row)]
    first = {code[:3]: code for code in reversed(codes) if DIABETES.match(code) and not code.endswith(".9")}
    return [
        replace(row, details={**row.details, "code": first[code[:3]]})
        if _is_patients(row) and (code := str(row.details["code"])).endswith(".9") and code[:3] in first
        else row
        for row in mentions
    ]


def _is_patients(row: Mention) -> bool:
    return row.kind in ("problem", "symptom") and row.assertion in (PRESENT, HISTORICAL)


def _has_default_type(row: Mention) -> bool:
    """Whether the code is of type 2 although the words do not say so."""
    return str(row.details["code"]).startswith(TYPE_2) and not _TYPE_2.search(row.text)


def _of_type_1(row: Mention) -> Mention:
    code = TYPE_1 + str(row.details["code"])[3:]
    known = conditions().codes.get(code)
    return replace(row, details={**row.details, "code": code if known is not None and known.billable else ""})

"""Circumstances that decide what a finding says: a dated event, a habit, the mother of a baby."""

from __future__ import annotations

import re

from apps.notes.nlp.condition_names import Named
from apps.terminology.lexicon import concepts

PREGNANCY_CODE = "Z33"
EVENT_CODES = ("I21", "I22", "I60", "I61", "I63")
_DOES = re.compile(
    r"\b(?:currently|is|does|still|continues to|presentation (?:at this time )?with|at this time,?)\s+(?:\w+ly\s+)?(?:still\s+)?$",
    re.IGNORECASE,
)
_HAS = re.compile(
    r"\b(?:he|she|patient|pt)\s+(?:also\s+|still\s+|currently\s+)*(?:has|have|complains? of|reports?|gets)\s+"
    r"(?!had|been|a (?:\w+ )?history|history|no\b)(?:(?!history)[\w-]+,?\s+){0,6}$",
    re.IGNORECASE,
)
"""Within a past history, what somebody has now ("He has muscle and joint pains")."""
_LONG_DONE = re.compile(
    r"\b(?:after|since|following|from|before|prior to)\s+(?:his|her|the|their|a|an|last|first)\s+(?:\w+\s+)?$",
    re.IGNORECASE,
)
_REPAIRED = re.compile(r"\s+(?:repairs?|excision|removal|resection|surgery|operation|fixation)\b", re.IGNORECASE)
_DATED = re.compile(
    r"\b(?:(?:19|20)\d\d|status post|s/p|history of|previous|prior|underwent|had an?|past)\b[^.;]{0,40}$", re.IGNORECASE
)
"""Around a condition that has been operated on ("In 2003, left inguinal hernia repair")."""
_BABY = re.compile(
    r"\b(?:birth ?weight|birth history|newborn|neonat\w+|baby (?:boy|girl)|\d+[- ](?:day|week|month)s?(?:[- ]\d+[- ]days?)?[- ]old|"
    r"pediatric|paediatric|[1-9][- ]year[- ]old)\b|新生儿|患儿|出生体重",
    re.IGNORECASE,
)


def is_past_event(text: str, row: Named) -> bool:
    """Whether something is dated by an infarction or a stroke ("weak since his MI"), or was operated on, and so is past."""
    if _REPAIRED.match(text[row.end : row.end + 30]) and _DATED.search(text[max(row.start - 60, 0) : row.start]):
        return True
    code = row.candidate.code if row.candidate else concepts()[row.concept].icd10
    return code.startswith(EVENT_CODES) and bool(_LONG_DONE.search(text[max(row.start - 40, 0) : row.start]))


def is_child(text: str) -> bool:
    """Whether the note is about a baby or a small child, so that a pregnancy is the mother's."""
    return bool(_BABY.search(text))


def is_habit_now(before: str, words: str, section: str) -> bool:
    """Whether a past history says in the present tense what somebody does ("he smokes", "is currently smoking")."""
    if section == "past" and _HAS.search(before[-90:]):
        return True
    present = re.fullmatch(r"smokes|drinks|vapes|chews", words, re.IGNORECASE) or _DOES.search(before[-40:])
    return section == "past" and bool(present)

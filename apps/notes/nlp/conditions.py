"""Conditions in notes: which words name one, and its ICD-10-CM code where no doubt is left.

A name that is part of a longer phrase ("stenosis" in "aortic stenosis") gets the longer phrase's code or none. What has
passed gets a code for the history of it or none; lasting diseases stay what they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from apps.notes.nlp.assertions import HISTORICAL, Context
from apps.terminology.lexicon import Concept, concepts
from apps.terminology.resolution import Candidate

HISTORY_FILE = Path(__file__).parent / "history_codes.tsv"
CERTAIN = 0.95
"""Certainty of a candidate from which its code is recorded."""
ACTIVE, RESOLVED = "active", "resolved"
_HARMLESS = frozenset(
    [
        "mild",
        "moderate",
        "severe",
        "significant",
        "known",
        "longstanding",
        "new",
        "recent",
        "current",
        "underlying",
        "likely",
        "probable",
        "possible",
        "stable",
        "worsening",
        "recurrent",
        "intermittent",
        "persistent",
        "progressive",
        "symptomatic",
        "asymptomatic",
        "right",
        "left",
        "bilateral",
        "diffuse",
        "small",
        "large",
        "minimal",
        "subtle",
        "some",
        "any",
        "occasional",
        "documented",
        "confirmed",
        "suspected",
        "presumed",
        "prior",
        "previous",
        "past",
        "remote",
        "positive",
        "early",
        "controlled",
        "uncontrolled",
        "ongoing",
        "continued",
        "increased",
        "increasing",
        "decreased",
        "slight",
        "marked",
        "trace",
        "mildly",
        "moderately",
        "severely",
        "well",
        "poorly",
        "essential",
        "benign",
        "clinical",
        "obvious",
        "definite",
        "evident",
        "concurrent",
        "chronic-appearing",
        "additional",
        "old",
        "active",
    ]
)
"""Words beside a name that leave its code true."""
_RESTRICTING = re.compile(
    r".{2,}(?:ic|al|ive|ous|ary|ar|oid|ine|iac|ent|ant|ular|less|ed|ing|like|ish)$|^(?:acute|chronic|subacute|type|stage|grade|"
    r"breast|lung|colon|liver|kidney|skin|brain|bone|heart|hip|knee|wrist|ankle|rib|skull|spine|prostate|bladder|thyroid|"
    r"eye|ear|throat|nose|foot|toe|hand|finger|leg|arm|back|neck|chest|pelvis|femur|tibia|wound|stress|heat|sun|drug|"
    r"childhood|adult|juvenile|heparin|radiation|steroid|iron|vitamin|st|non|pre|post|anti|pseudo|[ivx]{1,3}|\d{1,2})$"
)
"""Words directly before a name that make it another condition's, unless the whole phrase is known."""
_AFTER = re.compile(
    r"^(?:\s+(?:of|in)\s+(?:the\s+|his\s+|her\s+)?(?:left\s+|right\s+|both\s+)?[a-z]+(?<!childhood)(?<!setting)|\s+(?:insipidus|volume|rate|syndrome|"
    r"segment|prophylaxis|virus|carrier)\b|\s+[A-EH](?![A-Za-z'])|[- ](?:induced|related|associated|like|type)\b|\s*-\s*free)"
)
"""What follows a name and makes it another condition's."""
_NOT_MEANT: dict[str, tuple[re.Pattern[str] | None, re.Pattern[str] | None]] = {}
_DRAINING = re.compile(
    r"\b(?:vaginal|nasal|urethral|penile|nipple|ear|eye|ocular|wound|purulent|bloody|clear|yellow|green\w*|white|foul|thick|watery|"
    r"malodorous|mucoid|mucopurulent|serous|serosanguin\w*|no|any|copious|abnormal|without|or|denies|drainage)\W+$",
    re.IGNORECASE,
)
_DRAINS_FROM = re.compile(
    r"^\s+from\s+(?:the\s+|his\s+|her\s+)?(?:\w+\s+)?(?:wound|incision|nose|ear|eye|nipple|vagina|penis|site|urethra)",
    re.I,
)
_ELSE_BEFORE = re.compile(
    r"\b(?:ST|ST-segment|ST segment|T-wave|respiratory|cns|bone marrow|marrow|myocardial|T wave|heat|body|left|right|stroke|sun)\s+$",
    re.IGNORECASE,
)
_SENSES = {
    "depression": re.compile(
        r"\b(?:ST|ST[- ]segment|T[- ]wave|PR|J[- ]point|respiratory|CNS|marrow|myocardial|tongue)\s+$", re.IGNORECASE
    ),
    "stroke": re.compile(r"\b(?:heat|sun|back|breast|two)\s*$", re.IGNORECASE),
    "mass": re.compile(r"\b(?:body|bone|muscle|lean|fat|air|critical)\s+$", re.IGNORECASE),
    "weakness": re.compile(r"\b(?:a|the)\s+$", re.IGNORECASE),
    "wheeze": None,
    "rub": re.compile(r"\b(?:to|alcohol|vapor)\s+$", re.IGNORECASE),
}
_SENSES_AFTER = {
    "stroke": re.compile(r"^\s+(?:volume|work|rehab\w*|unit|center)", re.IGNORECASE),
    "mass": re.compile(r"^\s+(?:index|effect|spec\w+|general)", re.IGNORECASE),
    "pain": re.compile(
        r"^\s+(?:control|management|medication\w*|clinic|scale|score|medicine|relief|free|killer\w*|contract)",
        re.IGNORECASE,
    ),
    "dyspnea": None,
    "smoking": re.compile(r"^\s*(?:cessation|status|history)", re.IGNORECASE),
    "lesion": re.compile(r"^\s+(?:removal)", re.IGNORECASE),
    "urinary_frequency": re.compile(r"^\s+(?:of|domain|range|ablation|band)\b", re.IGNORECASE),
}
_YEAR = re.compile(
    r"^[^.;。；]{0,40}?\b(?:in|since|from|around|circa|diagnosed(?: in)?|dx|dx'd|\()\s*(?:(?:early|late|mid)\s*-?\s*)?"
    r"(?:(?:january|february|march|april|may|june|july|august|september|october|november|december|[a-z]{3})\.?\s+(?:of\s+)?)?"
    r"(?P<year>(?:19|20)\d\d)\b|^[^。；]{0,6}?(?P<zh>(?:19|20)\d\d)年",
    re.IGNORECASE,
)
_YEAR_BEFORE = re.compile(
    r"(?:\bin\s+(?P<year>(?:19|20)\d\d),?\s*(?:\w+\s+){0,5}|(?P<zh>(?:19|20)\d\d)年[^。；，]{0,10})$", re.IGNORECASE
)
_AGE = re.compile(r"^[^.;]{0,25}?\b(?:since|at|from)\s+(?:the\s+)?age\s+(?:of\s+)?(?P<age>\d{1,2})\b", re.IGNORECASE)
_OLD = re.compile(r"(?:陈旧性|陈旧)$|\bold\s+$", re.IGNORECASE)
_TESTED = re.compile(
    r"^\s*(?:s(?:urface)?\s+)?(?:antigen|ag|antibody|ab|virus|rna|dna|pcr|serology|test|igm|igg)\b|^(?:表面抗原|抗体|核酸|病毒)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Named:
    """A name of a finding: ``text[start:end]``, the lexicon's code or empty, and what the terminology knows it as."""

    start: int
    end: int
    concept: str
    candidate: Candidate | None = None


@dataclass(frozen=True)
class Condition:
    """What a mention stands for: ``problem`` or ``symptom``, and the details to store."""

    kind: str
    details: dict[str, Any]


def named_conditions(text: str, lexical: list[Named], language: str) -> list[Named]:
    """The names of the lexicon and of the terminology; of overlapping ones the longest."""
    return lexical


def condition_at(context: Context, row: Named, assertion: str) -> Condition | None:
    """What a name stands for in its place; None if it does not stand for a finding there."""
    concept = concepts().get(row.concept)
    before, after = context.text[max(row.start - 40, 0) : row.start], context.text[row.end : row.end + 80]
    if concept is not None and _means_something_else(concept, before, after):
        return None
    code, certainty = _code(context.text, row, concept)
    details: dict[str, Any] = {"icd10": concept.icd10 if concept else code, "label": concept.label if concept else ""}
    details["title"] = concept.title if concept else _title(row)
    onset = _onset(context, row)
    past = assertion == HISTORICAL
    code, status = _of_the_past(code, context, row) if past else (code, ACTIVE)
    details |= {"code": code, "certainty": certainty if code else 0.0, "status": status}
    if onset:
        details["onset"] = onset
    kind = concept.kind if concept else "symptom" if code.startswith("R") else "problem"
    return Condition(kind, details)


def _means_something_else(concept: Concept, before: str, after: str) -> bool:
    if concept.code == "discharge" and re.search(r"discharge\b", before[-1:] + "discharge"):
        return not (_DRAINING.search(before) or _DRAINS_FROM.match(after)) and not re.search(
            r"[\u4e00-\u9fff]", after[:2] + before[-2:]
        )
    sense, following = _SENSES.get(concept.code), _SENSES_AFTER.get(concept.code)
    return bool((sense and sense.search(before)) or (following and following.match(after)))


def _title(row: Named) -> dict[str, str]:
    name = row.candidate.name if row.candidate else ""
    return {"en": name, "zh-hans": name}


def _code(text: str, row: Named, concept: Concept | None) -> tuple[str, float]:
    """(code, certainty) of the words; empty where they are only a part of what is named."""
    if row.candidate is not None and row.candidate.certainty >= CERTAIN:
        return row.candidate.code, row.candidate.certainty
    if concept is None or not concept.icd10 or not concept.denoted_by(text[row.start : row.end]):
        return "", 0.0
    if is_part(text, row.start, row.end):
        return "", 0.0
    return concept.icd10, 1.0


def is_part(text: str, start: int, end: int) -> bool:
    """Whether a name is only a part of a longer one, so that its code would be another condition's."""
    if _AFTER.match(text[end : end + 40]):
        return True
    lead = re.search(r"([A-Za-z0-9'-]+)[ -]$", text[max(start - 30, 0) : start])
    if lead is None:
        return False
    word = lead[1].lower()
    return word not in _HARMLESS and bool(_RESTRICTING.match(word)) and word not in _VERBS


_VERBS = frozenset(
    [
        "has",
        "had",
        "is",
        "was",
        "were",
        "are",
        "been",
        "being",
        "developed",
        "diagnosed",
        "denied",
        "reported",
        "presented",
        "presenting",
        "complained",
        "complaining",
        "having",
        "experienced",
        "experiencing",
        "treated",
        "including",
        "showed",
        "showing",
        "revealed",
        "revealing",
        "demonstrated",
        "noted",
        "during",
        "suffered",
        "suffering",
        "needed",
        "caused",
        "causing",
        "resulted",
        "resulting",
        "started",
        "increased",
        "for",
        "her",
        "his",
        "patient",
        "patients",
        "present",
        "absent",
        "concerning",
        "regarding",
        "following",
        "denies",
        "evident",
        "apparent",
        "consistent",
        "different",
        "dr",
        "year",
        "resolved",
        "improved",
        "related",
        "given",
        "involving",
        "managing",
        "excluding",
        "indicating",
        "suggesting",
        "considered",
        "evaluating",
        "evaluated",
        "monitored",
        "monitoring",
        "tested",
        "screened",
        "hospitalized",
        "admitted",
    ]
)
"""Words with the endings of adjectives that are none."""


@cache
def _history() -> dict[str, str]:
    rows = [line.split("\t") for line in HISTORY_FILE.read_text().splitlines() if line and not line.startswith("#")]
    return dict(rows)


def _of_the_past(code: str, context: Context, row: Named) -> tuple[str, str]:
    """(code, status) of something of the past: lasting diseases are still there, others are over."""
    prefix = next((code[:length] for length in range(len(code), 2, -1) if code[:length] in _history()), "")
    history = _history().get(prefix, "")
    if history == "=":
        return (code, ACTIVE) if not context.resolved(row.start, row.end) else ("", RESOLVED)
    return history, RESOLVED


def _onset(context: Context, row: Named) -> str:
    """The year, or "age 9", from which the note dates the condition; empty if it does not."""
    sentence = context.sentence_at(row.start)
    after, before = context.text[row.end : sentence[1]], context.text[sentence[0] : row.start]
    if match := _YEAR.match(after) or _YEAR_BEFORE.search(before):
        return match["year"] or match["zh"]
    age = _AGE.match(after)
    return f"age {age['age']}" if age else ""

"""Conditions in notes: which words name one, and its ICD-10-CM code where no doubt is left.

A name that is part of a longer phrase ("stenosis" in "aortic stenosis") gets the longer phrase's code or none. What has
passed gets a code for the history of it or none; lasting diseases stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from apps.notes.nlp.assertions import HISTORICAL, Context
from apps.terminology.condition_text import plain_words
from apps.terminology.conditions import conditions, title_of
from apps.terminology.lexicon import Concept, concepts
from apps.terminology.names import key_of
from apps.terminology.resolution import Candidate

HISTORY_FILE = Path(__file__).parent / "history_codes.tsv"
GUARDS_FILE = Path(__file__).parent / "condition_guards.tsv"
CERTAIN = 0.9
"""Certainty of a candidate from which its code is recorded."""
_LASTING_FACTS = frozenset({"Z33", "Z94", "Z95", "Z99", "Z89", "Z90", "Z85", "Z86", "Z87"})
"""Chapter Z in the record: pregnancy, transplants, devices, dialysis, missing organs, personal history."""
_COURSES = (("acute", "acute"), ("chronic", "chronic"), ("急性", "acute"), ("慢性", "chronic"))
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
        "sided",
        "constant",
        "intense",
        "subjective",
        "metastatic",
        "sudden",
        "frequent",
        "daily",
        "typical",
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
    r"^(?:\s+(?:of|in)\s+(?!remission|childhood|the past|the setting|this patient|pregnancy)(?:the\s+|his\s+|her\s+)?(?:left\s+|right\s+|both\s+)?[a-z]+(?<!childhood)(?<!setting)|\s+(?:insipidus|volume|rate|syndrome|"
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
_MONTH = (
    r"(?:(?:january|february|march|april|may|june|july|august|september|october|november|december|[a-z]{3})\.?\s+"
    r"(?:of\s+)?)?"
)
_YEAR = re.compile(
    r"^(?:\s*\(?|[^.;,。；，]{0,40}?\b(?:in|since|from|around|circa|diagnosed|dx|dx'd)\s*(?:(?:early|late|mid)\s*-?\s*)?"
    rf"{_MONTH})(?P<year>(?:19|20)\d\d)\b|^[^。；，]{{0,6}}?(?P<zh>(?:19|20)\d\d)年",
    re.IGNORECASE,
)
_YEAR_BEFORE = re.compile(
    r"(?:\bin\s+(?P<year>(?:19|20)\d\d),?\s*(?:\w+\s+){0,5}|(?P<zh>(?:19|20)\d\d)年[^。；，]{0,10})$", re.IGNORECASE
)
_AGE = re.compile(r"^[^.;]{0,25}?\b(?:since|at|from)\s+(?:the\s+)?age\s+(?:of\s+)?(?P<age>\d{1,2})\b", re.IGNORECASE)
_HISTORY_OF = re.compile(
    r"(?:(?:personal|past|previous|prior) )?(?:history of |hx of |h/o |s/p |status post )(?=\S)|既往", re.IGNORECASE
)
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


@cache
def _guards() -> dict[str, frozenset[str]]:
    """Names to drop, names without a code (in small letters), and the abbreviations that are taken."""
    rows: dict[str, set[str]] = {}
    for line in GUARDS_FILE.read_text().splitlines():
        if line and not line.startswith("#"):
            action, names = line.split("\t")
            rows.setdefault(action, set()).update(names.split("|"))
    return {action: frozenset(names) for action, names in rows.items()}


def named_conditions(text: str, lexical: list[Named], names: Sequence[tuple[int, int, Candidate]]) -> list[Named]:
    """The names of the lexicon and of the terminology; of overlapping ones the longest.

    A longer name of the same category keeps the lexicon's concept ("community-acquired pneumonia" is a pneumonia).
    """
    known = [
        Named(start + _lead(text[start:end], candidate), end, "", candidate)
        for start, end, candidate in names
        if candidate.system == "condition" and _is_finding(text[start:end], candidate)
    ]
    rows = sorted([*lexical, *known], key=lambda row: (row.start, row.start - row.end, row.candidate is None))
    merged: list[Named] = []
    for row in rows:
        last = merged[-1] if merged else None
        if last is None or row.start >= last.end:
            merged.append(row)
        elif row.end - row.start > last.end - last.start:
            merged[-1] = row
        elif row.concept and last.candidate and not last.concept and _same_concept(row, last, text):
            merged[-1] = Named(last.start, last.end, row.concept, last.candidate)
    return merged


def _lead(words: str, candidate: Candidate) -> int:
    """Length of "history of" at the beginning of a name: the finding is what follows."""
    lead = _HISTORY_OF.match(words) if is_history(candidate.code) else None
    return lead.end() if lead else 0


def _is_finding(words: str, candidate: Candidate) -> bool:
    """Whether the words name a finding in a note, and not a test, a visit, or an abbreviation of several meanings."""
    if candidate.code[0] in "VWXY" or (candidate.code[0] == "Z" and candidate.code[:3] not in _LASTING_FACTS):
        return False
    plain = " ".join(words.lower().split())
    if plain in _guards()["drop"] or plain.startswith(("maternal ", "paternal ", "family history ")):
        return False
    is_short = words.isascii() and words.isalnum() and len(words) <= 6 and words.isupper()
    return not is_short or words in _guards()["abbreviation"] or words.lower() in plain_words() or len(words) == 6


def _same_concept(lexical: Named, row: Named, text: str) -> bool:
    """Whether a name of the lexicon within one of the terminology, or equal to it, is the same condition."""
    assert row.candidate is not None
    concept = concepts()[lexical.concept]
    if (lexical.start, lexical.end) == (row.start, row.end) and concept.denoted_by(text[row.start : row.end]):
        return True
    return concept.icd10[:3] == row.candidate.code[:3] or bool(concept.label and lexical.end == row.end)


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
    past = assertion == HISTORICAL or is_history(code)
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
    words = text[row.start : row.end]
    if is_part(text, row.start, row.end) or " ".join(words.lower().split()) in _guards()["nocode"]:
        return "", 0.0
    if concept is not None and concept.icd10 and concept.denoted_by(words):
        return _qualified(words, concept.icd10), 1.0
    if row.candidate is not None and row.candidate.certainty >= CERTAIN:
        return _qualified(words, row.candidate.code), row.candidate.certainty
    return "", 0.0


def _qualified(words: str, code: str) -> str:
    """The code, or another one of the name, whose title says "acute" or "chronic" like the words; empty if none does."""
    wanted = [title for word, title in _COURSES if word in words.lower()]
    if not wanted or code.startswith("I63"):  # a stroke is acute
        return code
    options = [code, *conditions().named(key_of(words))]
    return next((option for option in options if all(word in title_of(option).lower() for word in wanted)), "")


def is_part(text: str, start: int, end: int) -> bool:
    """Whether a name is only a part of a longer one, so that its code would be another condition's."""
    if _AFTER.match(text[end : end + 40]):
        return True
    lead = re.search(r"([A-Za-z0-9'-]+)[ -]$", text[max(start - 30, 0) : start])
    if lead is None:
        return False
    word = lead[1].lower()
    if word == "post" and text[max(start - 12, 0) : start].lower().endswith(("status post ", "status-post ")):
        return False
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
        "urine",
        "routine",
        "medicine",
        "examine",
        "determine",
        "baseline",
        "home",
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
def history_codes() -> dict[str, str]:
    """Beginnings of codes, and the code for the history of them (see the file)."""
    rows = [line.split("\t") for line in HISTORY_FILE.read_text().splitlines() if line and not line.startswith("#")]
    return dict(rows)


def is_history(code: str) -> bool:
    """Whether a code says by itself that something has passed."""
    return code.startswith(("Z85", "Z86", "Z87", "I25.2"))


def _of_the_past(code: str, context: Context, row: Named) -> tuple[str, str]:
    """(code, status) of something of the past: lasting diseases are still there, others are over."""
    if is_history(code):
        return code, RESOLVED
    prefix = next((code[:length] for length in range(len(code), 2, -1) if code[:length] in history_codes()), "")
    history = history_codes().get(prefix, "")
    if code.startswith("Z"):  # a stent, a transplant: put in once, and still there
        return code, ACTIVE
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

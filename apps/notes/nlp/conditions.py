"""Conditions in notes: which words name one, and its ICD-10-CM code where no doubt is left.

A name that is part of a longer phrase ("stenosis" in "aortic stenosis") gets the longer phrase's code or none. What has
passed gets a code for the history of it or none; lasting diseases stay what they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from apps.notes.nlp.assertions import HISTORICAL, Context
from apps.notes.nlp.condition_history import ACTIVE, history_only, is_history, lasts, of_the_past, onset
from apps.notes.nlp.condition_names import Named, guards
from apps.notes.nlp.condition_senses import means_something_else
from apps.terminology.conditions import conditions, title_of
from apps.terminology.lexicon import Concept, concepts
from apps.terminology.names import key_of

CERTAIN = 0.9
"""Certainty of a candidate from which its code is recorded."""
_COURSES = (("acute", "acute"), ("chronic", "chronic"), ("急性", "acute"), ("慢性", "chronic"))
_RESTRICTING = re.compile(
    r".{2,}(?:ic|al|ive|ous|ary|ar|oid|ine|iac|ent|ant|ular|less|ed|ing|like|ish)$|^(?:acute|chronic|subacute|type|stage|grade|"
    r"breast|lung|colon|liver|kidney|skin|brain|bone|heart|hip|knee|wrist|ankle|rib|skull|spine|prostate|bladder|thyroid|reflux|"
    r"eye|ear|throat|nose|foot|toe|hand|finger|leg|arm|back|neck|chest|pelvis|femur|tibia|wound|stress|heat|sun|drug|"
    r"gall|childhood|adult|juvenile|heparin|radiation|steroid|iron|vitamin|st|non|pre|post|anti|pseudo|[ivx]{1,3}|\d{1,2})$"
)
"""Words directly before a name that make it another condition's, unless the whole phrase is known."""
_AFTER = re.compile(
    r"^(?:\s+(?:of|in)\s+(?!remission|childhood|the past|the setting|this patient|(?:(?:her|a|the)\s+)?(?:\w+\s+)?pregnanc)(?:the\s+|his\s+|her\s+)?(?:left\s+|right\s+|both\s+)?[a-z]+(?<!childhood)(?<!setting)|\s+(?:insipidus|volume|rate(?![ -]controlled)|syndrome|"
    r"segment|prophylaxis|virus|carrier)\b|\s+[A-EH](?![A-Za-z'])|[- ](?:induced|related|associated|like|type)\b|\s*-\s*free)"
)
"""What follows a name and makes it another condition's."""
FORMER_SMOKER = "Z87.891"
_QUIT = re.compile(
    r"^\s*(?:history|use|status|hx)?\s*[:：,，-]?\s*(?:he |she |patient |pt )?(?:has )?(?:quit|stopped|former|ex-?\b|previous|past|prior|gave up|given up|remote)|"
    r"^[^.;]{0,60}?\b(?:but|and|then|,)\s+(?:he |she |patient )?(?:has |had )?(?:since |then |subsequently )?(?:quit|stopped|gave up)\b|"
    r"^\s*(?:\w+\s+){0,2}(?:up )?until\b(?! (?:now|today))|^[^。；]{0,12}?(?:已戒|戒烟)",
    re.IGNORECASE,
)
_QUIT_BEFORE = re.compile(
    r"\b(?:quite?|stopped|gave up|given up|former|ex-?|used to)\s*(?:smoking [^.;]{0,60})?$", re.IGNORECASE
)
_REMISSION = re.compile(
    r"^[^.;。；]{0,100}?(?:\b(?:no (?:evidence of |signs? of |known )?(?:recurren\w+|relapse)|without (?:evidence of )?(?:recurrence|relapse)|"
    r"(?<!not )in (?:complete |full |clinical )*remission|NED|no evidence of disease|disease[- ]free|cancer[- ]free|cured)\b|"
    r"(?:无|未见|未)(?:明显)?复发|已治愈|无瘤生存|完全缓解)",
    re.IGNORECASE,
)
_REMISSION_CODED = ("C90", "C91", "C92", "C93", "C94", "C95")
"""Leukaemias and myeloma have codes of their own in remission, which are no personal history."""


_SPREAD = re.compile(r"\bmetasta\w+|\bstage (?:iv|4)\b|转移|晚期", re.IGNORECASE)
"""Beside the name of a cancer: it is no personal history."""
_CHRONIC = re.compile(r"\bchronic\s+(?:[\w-]+\s+){0,3}$", re.IGNORECASE)
_ENDED = re.compile(r"^[\w\s]{0,12}\(?\s*(?:19|20)\d\d\s*[-–]\s*(?:19|20)\d\d\b")
"""Behind a name: the years from when to when it lasted."""
_LASTING_WORDS = re.compile(
    r"\b(?:chronic|arthritis|insufficiency|hearing loss|bowel disease|thyroid (?:disease|disorder)|neuropathy|cardiomyopathy|incontinence|"
    r"kidney disease|heart disease|lung disease|liver disease)\b|慢性|肾功能不全|关节炎|心肌病|神经病变",
    re.IGNORECASE,
)
"""Names without a code that nevertheless name something that lasts."""


@dataclass(frozen=True)
class Condition:
    """What a mention stands for: ``problem`` or ``symptom``, and the details to store."""

    kind: str
    details: dict[str, Any]


def condition_at(context: Context, row: Named, assertion: str) -> Condition | None:
    """What a name stands for in its place; None if it does not stand for a finding there."""
    concept = concepts().get(row.concept)
    after = context.text[row.end : row.end + 80]
    if means_something_else(concept, context, row.start, row.end):
        return None
    code, certainty = _code(context.text, row, concept)
    if _is_former_habit(row, concept, context.text):
        code, certainty = FORMER_SMOKER, 1.0
    details: dict[str, Any] = {"icd10": concept.icd10 if concept else code, "label": concept.label if concept else ""}
    details["title"] = concept.title if concept else _title(row)
    dated = onset(context, row.start, row.end)
    past = assertion == HISTORICAL or is_history(code) or is_in_remission(context, row, code)
    past = past or (code.startswith("O") and after.startswith(("史", "病史")))  # of a former pregnancy
    if past and not code and row.candidate is not None and not is_part(context.text, row.start, row.end):
        code, certainty = history_only(row.candidate.code), row.candidate.certainty
    ended = bool(_ENDED.match(after)) or context.text[row.start : row.end].lower().startswith("childhood ")
    past, resolved = past or ended, ended or context.resolved(row.start, row.end)
    code, status = _of_the_past(context, row, code, resolved=resolved) if past else (code, ACTIVE)
    details |= {"code": code, "certainty": certainty if code else 0.0, "status": status}
    if dated:
        details["onset"] = dated
    kind = concept.kind if concept else "symptom" if code.startswith("R") else "problem"
    return Condition(kind, details)


def _of_the_past(context: Context, row: Named, code: str, *, resolved: bool) -> tuple[str, str]:
    """(code, status) of something of the past; what lasts stays, also where the words have no code of their own."""
    text = context.text
    if resolved:
        return of_the_past(code, resolved=True)
    near = f"{text[max(row.start - 24, 0) : row.start]}{text[row.start : row.end + 24]}"
    if (code.startswith("C") or not code) and _SPREAD.search(near):
        return code, ACTIVE
    general = (row.candidate.code if row.candidate else "") or getattr(concepts().get(row.concept), "icd10", "")
    if not code and (
        _LASTING_WORDS.search(text, max(row.start - 8, 0), row.end) or _CHRONIC.search(near[:24]) or lasts(general)
    ):
        return "", ACTIVE
    return of_the_past(code, resolved=False)


def _is_former_habit(row: Named, concept: Concept | None, text: str) -> bool:
    """Whether somebody has given up smoking ("Smoking: quit 2010")."""
    words = text[row.start : row.end].lower()
    if not (concept is not None and concept.code == "smoking") and not words.startswith(
        ("smok", "tobacco", "cigarette", "吸烟")
    ):
        return False
    return bool(
        _QUIT.match(text[row.end : row.end + 60]) or _QUIT_BEFORE.search(text[max(row.start - 80, 0) : row.start])
    )


def is_in_remission(context: Context, row: Named, code: str) -> bool:
    """Whether a cancer is said not to have come back ("prostate cancer treated in 2012, no recurrence")."""
    after = context.text[row.end : context.sentence_at(row.start)[1]]
    return code.startswith("C") and not code.startswith(_REMISSION_CODED) and bool(_REMISSION.match(after))


def has_not_recurred(context: Context, row: Named) -> bool:
    """Whether a denial right behind the treatment of a condition concerns its return only."""
    words, after = context.text[row.start : row.end], context.text[row.end : context.sentence_at(row.start)[1]]
    return bool(re.match(r"^[^，。；]{0,8}(?:无|未见|未)(?:明显)?复发", after)) and (
        "术后" in words or after.startswith("术后")
    )


def _title(row: Named) -> dict[str, str]:
    name = row.candidate.name if row.candidate else ""
    return {"en": name, "zh-hans": name}


def _code(text: str, row: Named, concept: Concept | None) -> tuple[str, float]:
    """(code, certainty) of the words; empty where they are only a part of what is named."""
    words = text[row.start : row.end]
    if is_part(text, row.start, row.end) or _leaves_open(words):
        return "", 0.0
    if concept is not None and concept.icd10 and concept.denoted_by(words):
        return _qualified(words, concept.icd10), 1.0
    if row.candidate is not None and row.candidate.certainty >= CERTAIN:
        return _qualified(words, row.candidate.code), row.candidate.certainty
    return "", 0.0


def _leaves_open(words: str) -> bool:
    """Whether a name leaves open which code is true; the use of a substance is no disorder by itself."""
    plain = " ".join(words.lower().split())
    return plain in guards()["nocode"] or plain.endswith((" use", " user"))


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
    if word == "acute" and text[start:end] == "PE":  # pulmonary embolism is acute unless it is said to be chronic
        return False
    return word not in guards()["harmless"] and bool(_RESTRICTING.match(word)) and word not in guards()["no-adjective"]

"""Reading a note: its language, sections, sentences, and what is said of whom."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from apps.notes.nlp.allergies import names_allergy, names_stopped
from apps.notes.nlp.context import assertions, language
from apps.notes.nlp.measurements import dose, measurements
from apps.notes.nlp.sections import Section, sections
from apps.terminology.lexicon import concepts

LONGEST = 400_000
"""Letters of a note that are read; what is beyond is kept and searched, but not understood."""
DOSE_REACH = 80
"""Letters behind a medication's name in which its dose is looked for."""
DRUG_REACH = 4
"""Words before a medication among which its negation begins: findings are denied in long lists, medication is not."""
_IDEOGRAPHS = re.compile(r"[\u3400-\u9fff]")
_WORDS = re.compile(r"[A-Za-z]{2,}")


@dataclass(frozen=True)
class Mention:
    """Something that a note speaks of; letters from ``start`` to before ``end`` of the note.

    Attributes:
        kind: ``problem``, ``symptom``, ``drug``, ``anatomy`` or ``measurement``.
        concept: code in the lexicon; of measurements the LOINC code or empty.
        assertions: subset of ``negated``, ``uncertain``, ``historical``, ``family``.
        section: where it stands.
        details: ICD-10-CM code, finding label, dose, values, unit; of drugs ``allergy`` and ``stopped``.
    """

    kind: str
    start: int
    end: int
    text: str
    concept: str
    assertions: tuple[str, ...]
    section: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What was read of a note."""

    language: str
    sections: list[Section]
    sentences: list[tuple[int, int]]
    mentions: list[Mention]


def language_of(text: str) -> str:
    """``zh`` if ideographs outweigh words, else ``en``."""
    return "zh" if len(_IDEOGRAPHS.findall(text)) > len(_WORDS.findall(text)) else "en"


def read(text: str) -> Reading:
    """Read a note in English or Chinese."""
    text = text[:LONGEST]
    code = language_of(text)
    doc = language(code)(_readable(text))
    parts = sections(text)
    holds = assertions(doc, code)
    spans = _spans(doc, code)
    headings = [range(part.start, part.body) for part in parts if part.body > part.start]
    mentions = [
        _mention(span, holds, parts, text) for span in spans if not any(span.start_char in one for one in headings)
    ]
    measured = _measured(text, parts, [(one.start, one.end) for one in mentions if one.kind != "anatomy"])
    places = [range(one.start, one.end) for one in measured]  # the heart of a heart rate is no place
    mentions = [one for one in mentions if not any(one.start in place for place in places)] + measured
    sentences = [(sentence.start_char, sentence.end_char) for sentence in doc.sents if sentence.text.strip()]
    return Reading(code, parts, sentences, sorted(mentions, key=lambda one: (one.start, one.end)))


def _spans(doc: Doc, code: str) -> list[Span]:
    """The longest names that were found; a place never hides what is wrong with it ("右下肺炎")."""
    found = [Span(doc, start, end, label=label) for label, start, end in _matcher(code)(doc)]
    places = [span for span in found if concepts()[span.label_].kind == "anatomy"]
    others = filter_spans([span for span in found if concepts()[span.label_].kind != "anatomy"])
    taken = {token for span in others for token in range(span.start, span.end)}
    free = [span for span in filter_spans(places) if not taken.intersection(range(span.start, span.end))]
    return sorted([*others, *free], key=lambda span: span.start)


@cache
def _matcher(code: str) -> PhraseMatcher:
    pipeline = language(code)
    matcher = PhraseMatcher(pipeline.vocab, attr="LOWER")
    for concept in concepts().values():
        matcher.add(concept.code, [pipeline.make_doc(term) for term in concept.terms[code] if term])
    return matcher


def _readable(text: str) -> str:
    """The text with sentence ends where transcripts lack the space behind them; letters keep their places."""
    plain = "".join(" " if unicodedata.category(letter) == "Cc" and letter not in "\n\t" else letter for letter in text)
    # ".,Next" and line ends part sentences for a tokenizer that splits at white space.
    plain = re.sub(r"(?<=[.!?]),(?=\S)", " ", plain)
    return re.sub(r"(?<![.!?:;,])\n(?=\s*\n|\s*[A-Z•*-])", ".", plain)


def _mention(span: Span, holds: list[frozenset[str]], parts: list[Section], text: str) -> Mention:
    concept = concepts()[span.label_]
    section = _section(parts, span.start_char)
    said = set(holds[span.start]) if concept.kind != "anatomy" else set()
    if section == "family":
        said.add("family")
    if "negated" in said:  # what is denied is denied of the past as well
        said -= {"historical"}
    details: dict[str, Any] = {"icd10": concept.icd10, "label": concept.label, "title": concept.title}
    if concept.kind == "drug":
        said -= {"historical"}
        sentence = (span.sent.start_char, span.sent.end_char)
        body = next((part.body for part in parts if part.start <= span.start_char < part.end), 0)
        allergy = names_allergy(
            text,
            span.start_char,
            span.end_char,
            sentence=sentence,
            section_body=body if section == "allergies" else None,
        )
        before = holds[max(span.start - DRUG_REACH, 0) : span.start]
        if not allergy and not any("negated" not in one for one in before):  # allergies are denied in lists, too
            said -= {"negated"}
        said_of = dose(_rest_of_sentence(span.doc, span, text))
        stopped = names_stopped(text, span.start_char, sentence_start=sentence[0])
        details = {**said_of, "title": concept.title, "allergy": allergy, "stopped": stopped}
    return Mention(
        concept.kind, span.start_char, span.end_char, text[span.start_char : span.end_char], concept.code,
        tuple(sorted(said)), section, details,
    )  # fmt: skip


def _rest_of_sentence(doc: Doc, span: Span, text: str) -> str:
    end = min(span.sent.end_char, span.end_char + DOSE_REACH)
    return text[span.end_char : end]


def _measured(text: str, parts: list[Section], taken: list[tuple[int, int]]) -> list[Mention]:
    return [
        Mention(
            "measurement",
            one.start,
            one.end,
            text[one.start : one.end],
            one.code,
            (),
            _section(parts, one.start),
            {"values": list(one.values), "unit": one.unit},
        )
        for one in measurements(text)
        if not any(start < one.end and one.start < end for start, end in taken)
    ]


def _section(parts: list[Section], place: int) -> str:
    return next((part.name for part in parts if part.start <= place < part.end), "")

"""Rule-based information extraction from a note: language, sections, sentences, mentions with assertions."""

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

MAX_CHARACTERS = 400_000
"""Characters that are analysed; the rest is stored and searchable, but nothing is extracted from it."""
DOSE_REACH = 80
"""Characters after a medication's name that are searched for its dose."""
DRUG_REACH = 4
"""Tokens before a medication in which its negation must start: findings are negated in long lists, medication is not."""
_IDEOGRAPHS = re.compile(r"[\u3400-\u9fff]")
_WORDS = re.compile(r"[A-Za-z]{2,}")


@dataclass(frozen=True)
class Mention:
    """A mention in a note: ``text[start:end]``.

    Attributes:
        kind: ``problem``, ``symptom``, ``drug``, ``anatomy`` or ``measurement``.
        concept: code in the lexicon; for measurements the LOINC code or empty.
        assertions: subset of ``negated``, ``uncertain``, ``historical``, ``family``.
        section: name of the enclosing section.
        details: ICD-10-CM code, finding label, dose, values, unit; for drugs ``allergy`` and ``stopped``.
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
    """What was extracted from a note."""

    language: str
    sections: list[Section]
    sentences: list[tuple[int, int]]
    mentions: list[Mention]


def language_of(text: str) -> str:
    """``zh`` if the text has more ideographs than Latin words, else ``en``."""
    return "zh" if len(_IDEOGRAPHS.findall(text)) > len(_WORDS.findall(text)) else "en"


def read(text: str) -> Reading:
    """Extract sections, sentences and mentions from a note in English or Chinese."""
    text = text[:MAX_CHARACTERS]
    code = language_of(text)
    doc = language(code)(_readable(text))
    parts = sections(text)
    by_token = assertions(doc, code)
    spans = _spans(doc, code)
    headings = [range(part.start, part.body) for part in parts if part.body > part.start]
    mentions = [
        _mention(span, by_token, parts, text) for span in spans if not any(span.start_char in row for row in headings)
    ]
    measured = _measured(text, parts, [(row.start, row.end) for row in mentions if row.kind != "anatomy"])
    measured_spans = [range(row.start, row.end) for row in measured]  # "heart" in "heart rate" is not anatomy
    mentions = [row for row in mentions if not any(row.start in span for span in measured_spans)] + measured
    sentences = [(sentence.start_char, sentence.end_char) for sentence in doc.sents if sentence.text.strip()]
    return Reading(code, parts, sentences, sorted(mentions, key=lambda row: (row.start, row.end)))


def _spans(doc: Doc, code: str) -> list[Span]:
    """Longest lexicon matches; an anatomy term never masks an overlapping problem ("右下肺炎")."""
    matches = [Span(doc, start, end, label=label) for label, start, end in _matcher(code)(doc)]
    anatomy = [span for span in matches if concepts()[span.label_].kind == "anatomy"]
    others = filter_spans([span for span in matches if concepts()[span.label_].kind != "anatomy"])
    covered = {token for span in others for token in range(span.start, span.end)}
    free = [span for span in filter_spans(anatomy) if not covered.intersection(range(span.start, span.end))]
    return sorted([*others, *free], key=lambda span: span.start)


@cache
def _matcher(code: str) -> PhraseMatcher:
    pipeline = language(code)
    matcher = PhraseMatcher(pipeline.vocab, attr="LOWER")
    for concept in concepts().values():
        matcher.add(concept.code, [pipeline.make_doc(term) for term in concept.terms[code] if term])
    return matcher


def _readable(text: str) -> str:
    """Repair sentence boundaries that transcripts lack; the length and all offsets are preserved."""
    plain = "".join(" " if unicodedata.category(letter) == "Cc" and letter not in "\n\t" else letter for letter in text)
    # ".,Next" and line ends separate sentences; the tokenizer only splits at white space.
    plain = re.sub(r"(?<=[.!?]),(?=\S)", " ", plain)
    return re.sub(r"(?<![.!?:;,])\n(?=\s*\n|\s*[A-Z•*-])", ".", plain)


def _mention(span: Span, by_token: list[frozenset[str]], parts: list[Section], text: str) -> Mention:
    concept = concepts()[span.label_]
    section = _section(parts, span.start_char)
    asserted = set(by_token[span.start]) if concept.kind != "anatomy" else set()
    if section == "family":
        asserted.add("family")
    if "negated" in asserted:  # negation covers the past as well
        asserted -= {"historical"}
    details: dict[str, Any] = {"icd10": concept.icd10, "label": concept.label, "title": concept.title}
    if concept.kind == "drug":
        asserted -= {"historical"}
        sentence = (span.sent.start_char, span.sent.end_char)
        body = next((part.body for part in parts if part.start <= span.start_char < part.end), 0)
        allergy = names_allergy(
            text,
            span.start_char,
            span.end_char,
            sentence=sentence,
            section_body=body if section == "allergies" else None,
        )
        before = by_token[max(span.start - DRUG_REACH, 0) : span.start]
        if not allergy and not any(
            "negated" not in token for token in before
        ):  # allergies are negated in lists as well
            asserted -= {"negated"}
        dosing = dose(_rest_of_sentence(span.doc, span, text))
        stopped = names_stopped(text, span.start_char, sentence_start=sentence[0])
        details = {**dosing, "title": concept.title, "allergy": allergy, "stopped": stopped}
    return Mention(
        concept.kind, span.start_char, span.end_char, text[span.start_char : span.end_char], concept.code,
        tuple(sorted(asserted)), section, details,
    )  # fmt: skip


def _rest_of_sentence(doc: Doc, span: Span, text: str) -> str:
    end = min(span.sent.end_char, span.end_char + DOSE_REACH)
    return text[span.end_char : end]


def _measured(text: str, parts: list[Section], occupied: list[tuple[int, int]]) -> list[Mention]:
    return [
        Mention(
            "measurement",
            row.start,
            row.end,
            text[row.start : row.end],
            row.code,
            (),
            _section(parts, row.start),
            {"values": list(row.values), "unit": row.unit},
        )
        for row in measurements(text)
        if not any(start < row.end and row.start < end for start, end in occupied)
    ]


def _section(parts: list[Section], offset: int) -> str:
    return next((part.name for part in parts if part.start <= offset < part.end), "")

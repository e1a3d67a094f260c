"""Rule-based information extraction from a note: language, sections, sentences, mentions with assertions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from apps.notes.nlp.allergies import (
    DENIED,
    UNCONFIRMED,
    Allergy,
    all_reactions,
    allergy_to,
    tolerates,
)
from apps.notes.nlp.assertions import (
    ABSENT,
    CONDITIONAL,
    FAMILY,
    HISTORICAL,
    HYPOTHETICAL,
    OTHER,
    POSSIBLE,
    PRESENT,
    Context,
)  # fmt: skip
from apps.notes.nlp.circumstances import PREGNANCY_CODE, is_child, is_habit_now, is_past_event
from apps.notes.nlp.condition_history import RESOLVED, is_history
from apps.notes.nlp.condition_names import Named, named_conditions
from apps.notes.nlp.condition_senses import is_vaccine
from apps.notes.nlp.conditions import condition_at, has_not_recurred
from apps.notes.nlp.diabetes import with_type
from apps.notes.nlp.dosage import Dosage, dosage
from apps.notes.nlp.measurements import measurements
from apps.notes.nlp.medications import AVOID, NOT_TAKEN_SO, PAUSES, STOP, MedicationAct, medication_acts
from apps.notes.nlp.note_text import NoteText
from apps.notes.nlp.phrases import Phrases
from apps.notes.nlp.qualities import Span, Surroundings, qualities
from apps.notes.nlp.sections import Section, sections
from apps.notes.nlp.stop_times import when_stopped
from apps.notes.nlp.tokens import language_of, tokens
from apps.terminology.lexicon import concepts
from apps.terminology.resolution import Candidate, resolve

__all__ = ["MAX_CHARACTERS", "Mention", "Reading", "language_of", "read"]

MAX_CHARACTERS = 400_000
"""Characters that are analysed; the rest is stored and searchable, but nothing is extracted from it."""
NO_SUBSTANCE = "allergy"
"""The lexicon's concept of an allergy to nothing in particular."""
DOSE_REACH = 120
"""Characters after a medication's name that are searched for its dosage."""
STORED = {
    PRESENT: (), ABSENT: ("negated",), POSSIBLE: ("uncertain",), CONDITIONAL: ("uncertain",), HYPOTHETICAL: ("uncertain",),
    HISTORICAL: ("historical",), FAMILY: ("family",), OTHER: ("family",),
}  # fmt: skip
"""The columns of a stored concept that an assertion sets; the assertion itself is in the concept's details."""


@dataclass(frozen=True)
class Mention:
    """A mention in a note: ``text[start:end]``.

    Attributes:
        kind: ``problem``, ``symptom``, ``drug``, ``allergen``, ``anatomy`` or ``measurement``.
        concept: code in the lexicon, for drugs their ingredients; for measurements the LOINC code or empty.
        assertions: columns that are set of the stored concept (``negated``, ``uncertain``, ``historical``, ``family``).
        section: name of the enclosing section.
        details: ``assertion`` (see ``assertions.ASSERTIONS``), and by kind

            * problems and symptoms: code (ICD-10-CM, empty if none is certain), certainty, status (active, resolved),
              onset (year), icd10 and label of the lexicon, and where known the names of ``qualities.NAMES``;
            * drugs and allergens: substance (ingredients), code, certainty, act, status (active, stopped, on-hold,
              conditional; empty if nothing is to be recorded), dose, unit, route, frequency, schedule (as written), or
              allergy, type (allergy, intolerance), reaction, severity, verification (confirmed, unconfirmed), stopped,
              ended_as_stated;
            * measurements: values, unit, written, written_unit, state (taken, ask, refused), comparator, reason, choices.
    """

    kind: str
    start: int
    end: int
    text: str
    concept: str
    assertions: tuple[str, ...]
    section: str
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def assertion(self) -> str:
        """The one assertion that holds of the mention."""
        return str(self.details.get("assertion", PRESENT))


@dataclass(frozen=True)
class Reading:
    """What was extracted from a note."""

    language: str
    sections: list[Section]
    sentences: list[tuple[int, int]]
    mentions: list[Mention]


def read(text: str, language: str = "") -> Reading:
    """Extract sections, sentences and mentions from a note.

    Args:
        language: ``en`` or ``zh``; found out if empty.
    """
    text = _printable(text[:MAX_CHARACTERS])
    code = language if language in ("en", "zh") else language_of(text)
    note = _Note(text, Context.of(text, code), sections(text))
    substances, values, findings = note.substances(), note.values(), note.findings()
    longer = _covered(text, [(row.start, row.end) for row in [*values, *findings]])
    findings = with_type(findings)
    mentions = [row for row in substances if row.details["status"] or not any(longer[row.start : row.end])]
    for rows in (values, findings):
        taken = _covered(text, [(row.start, row.end) for row in mentions] + note.reactions)
        mentions += [row for row in rows if not any(taken[row.start : row.end])]
    return Reading(code, note.sections, note.context.sentences, sorted(mentions, key=lambda row: (row.start, row.end)))


def _printable(text: str) -> str:
    """The text without control characters; its length and all offsets are preserved."""
    if text.isprintable():
        return text
    return "".join(" " if unicodedata.category(sign) == "Cc" and sign not in "\n\t" else sign for sign in text)


def _covered(text: str, spans: Iterable[tuple[int, int]]) -> bytearray:
    """A 1 for each character of the text that one of the spans covers."""
    covered = bytearray(len(text))
    for start, end in spans:
        covered[start:end] = b"\1" * (end - start)
    return covered


class _Note(NoteText):
    """A note while it is read."""

    def _mention(self, kind: str, start: int, end: int, concept: str, details: dict[str, Any]) -> Mention:
        section = self.section_at(start)
        stored = STORED[details.get("assertion", PRESENT)]
        if kind in ("problem", "symptom"):
            if self.context.is_of_others(start, end):
                stored = tuple(dict.fromkeys((*stored, "family")))
            if stored == ("family",) and self.context.is_doubtful(start, end):
                stored = ("uncertain", "family")
        return Mention(
            kind, start, end, self.text[start:end], concept, stored, section.name if section else "", details
        )

    def substances(self) -> list[Mention]:
        """Medications and allergies."""
        drugs = self.listed_substances()
        drugs += [
            (start, end, candidate)
            for start, end, candidate in self.names
            if candidate.system == "drug" and not self.in_heading(start) and "vaccine" not in candidate.name
        ]
        drugs = sorted({row[0]: row for row in drugs}.values(), key=lambda row: row[0])
        acts = medication_acts(self.context, [(start, end) for start, end, _candidate in drugs])
        rows = []
        act_at = {start: act for (start, _end, _candidate), act in zip(drugs, acts, strict=True)}
        named = self.with_allergens(drugs)
        for number, (start, end, candidate) in enumerate(named):
            act = act_at.get(start)
            following = named[number + 1][0] if number + 1 < len(named) else len(self.text)
            allergy = self._allergy(start, end, following)
            if allergy is not None and allergy.type != DENIED:
                rows.append(self._allergen(start, end, candidate, allergy))
            elif act is not None and allergy is not None:
                rows.append(self._drug(start, end, candidate, MedicationAct(AVOID, ""), start, following))
            elif act is not None and not tolerates(self.text[max(start - 80, 0) : start]):
                previous = named[number - 1][1] if number else 0
                rows.append(self._drug(start, end, candidate, act, previous, following))
        return rows

    def _allergy(self, start: int, end: int, following: int) -> Allergy | None:
        sentence = self.context.sentence_at(start)
        section = self.section_at(start)
        body = section.body if section and section.name == "allergies" else None
        if self.context.assertion(start, end) in (FAMILY, OTHER, CONDITIONAL):
            return None
        allergy = allergy_to(
            self.text, start, end, sentence=sentence, following=min(following, sentence[1]), section_body=body
        )
        if allergy and allergy.span and allergy.span[0] < start:
            feared = self.context.assertion(*allergy.span) in (CONDITIONAL, HYPOTHETICAL)
            return None if feared else allergy  # "monitor for rash on lamotrigine"
        return allergy

    def _allergen(self, start: int, end: int, candidate: Candidate, allergy: Allergy) -> Mention:
        if allergy.span is not None:
            self.reactions.append(allergy.span)
            self.reactions += all_reactions(self.text, allergy.span, self.context.sentence_at(start)[1])
        doubtful = allergy.certainty == UNCONFIRMED
        details = {
            "assertion": POSSIBLE if doubtful else PRESENT,
            "title": _title(candidate), "allergy": True, "stopped": False, "act": "allergy",
            "status": "active", "type": allergy.type, "reaction": allergy.reaction, "severity": allergy.severity,
            "substance": list(candidate.ingredients) or [candidate.name], "code": candidate.code or _allergen_code(self.text[start:end]),
            "certainty": candidate.certainty, "verification": allergy.certainty,
        }  # fmt: skip
        return self._mention("drug", start, end, _concept(candidate), details)

    def _drug(
        self, start: int, end: int, candidate: Candidate, act: MedicationAct, previous: int, following: int
    ) -> Mention:
        sentence = self.context.sentence_at(start)
        after = self.text[end : min(sentence[1], following, end + DOSE_REACH)]
        if following < sentence[1]:
            after = _OF_THE_NEXT.sub("", after)
        taken = dosage(after, self.text[max(sentence[0], previous, start - 40) : start])
        reason = _REASON.match(self.text, end, min(sentence[1], following)) if act.act in PAUSES else None
        if reason is not None:
            self.reactions.append(reason.span("reason"))
        if act.is_tentative:  # the new dose of a change that depends on something is not taken yet
            taken = Dosage()
        if act.act == NOT_TAKEN_SO:
            taken = replace(taken, frequency=f"{taken.frequency}, {NOT_TAKEN_SO}" if taken.frequency else NOT_TAKEN_SO)
        details = {
            "assertion": self._drug_assertion(start, end, act), "title": _title(candidate), "allergy": False,
            "stopped": act.act == STOP or act.status in ("stopped", "on-hold"), "act": act.act, "status": act.status,
            "substance": list(candidate.ingredients), "code": candidate.code, "certainty": candidate.certainty,
            **{name: value for name, value in vars(taken).items() if value},
        }  # fmt: skip
        if act.status == "stopped":
            before = self.text[max(sentence[0], previous) : start]
            details["ended_as_stated"] = when_stopped(before, self.text[end : min(sentence[1], following)])
        return self._mention("drug", start, end, _concept(candidate), details)

    def _drug_assertion(self, start: int, end: int, act: MedicationAct) -> str:
        """A stopped medication is of the past, one that is not taken is absent."""
        said = self.context.assertion(start, end)
        if act.status == "conditional":
            return said if said in (CONDITIONAL, HYPOTHETICAL, POSSIBLE) else CONDITIONAL
        if act.status == "stopped":
            return HISTORICAL
        if said in (FAMILY, OTHER):
            return said
        return ABSENT if act.act == AVOID else PRESENT

    def values(self) -> list[Mention]:
        """Measured values and sizes."""
        found = measurements(self.text, self.context.tokens)
        self.sizes = [Span(row.start, row.end, self.text[row.start : row.end]) for row in found if not row.code]
        return [
            self._mention(
                "measurement", row.start, row.end, row.code,
                {
                    "values": list(row.values), "unit": row.unit, "written": row.written, "written_unit": row.written_unit,
                    "state": row.state, "comparator": row.comparator, "reason": row.reason,
                    "choices": [list(choice) for choice in row.choices],
                },
            )
            for row in found
        ]  # fmt: skip

    def findings(self) -> list[Mention]:
        """Problems, symptoms and anatomy: the longest names; anatomy never masks an overlapping problem ("右下肺炎")."""
        words = self.context.tokens
        problems = [
            Named(words.starts[first], words.ends[end - 1], code)
            for first, end, code in _matcher("finding").find(words.words)
        ]
        problems = named_conditions(self.text, problems, self.names)
        rows = [self._problem(row) for row in problems if not self.in_heading(row.start)]
        mentions = self._with_qualities([row for row in rows if row is not None])
        taken = _covered(self.text, [(row.start, row.end) for row in mentions])
        for first, end, code in _matcher("anatomy").find(words.words):
            span = (words.starts[first], words.ends[end - 1])
            if not any(taken[slice(*span)]) and not self.in_heading(span[0]):
                concept = concepts()[code]
                details = {"icd10": "", "label": concept.label, "title": concept.title}
                mentions.append(self._mention("anatomy", *span, code, details))
        return mentions

    def _with_qualities(self, findings: list[Mention]) -> list[Mention]:
        """The findings with side, organ, size, date and comparison where the note says them."""
        around = Surroundings.of(self.text, self.context.tokens, self.sizes)
        by_sentence: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for finding in findings:
            span = (finding.start, finding.end)
            by_sentence.setdefault(self.context.sentence_at(finding.start), []).append(span)
        rows = []
        for finding in findings:
            sentence, own = self.context.sentence_at(finding.start), (finding.start, finding.end)
            said = qualities(around, own, sentence, [other for other in by_sentence[sentence] if other != own])
            rows.append(replace(finding, details={**finding.details, **said}) if said else finding)
        return rows

    def _problem(self, row: Named) -> Mention | None:
        section = self.section_at(row.start)
        if row.concept == NO_SUBSTANCE and self.text[row.end : row.end + 8].lstrip().startswith((":", "：")):
            return None  # the heading of a list, also where it does not begin a line
        words = self.text[row.start : row.end]
        name = section.name if section else ""
        now = is_habit_now(self.text[: row.start], words, name)
        assertion = self.context.assertion(row.start, row.end, section="" if now else name)
        if now and assertion == HISTORICAL and not self.context.resolved(row.start, row.end):
            assertion = PRESENT
        if assertion == ABSENT and has_not_recurred(self.context, row):
            assertion = HISTORICAL  # 肺癌术后未见复发 denies the recurrence, not the cancer
        if assertion == PRESENT and is_past_event(self.text, row):
            assertion = HISTORICAL
        if is_vaccine(self.context, row.start, row.end):
            assertion = ABSENT
        condition = condition_at(self.context, row, assertion)
        if condition is None:
            return None
        if assertion == PRESENT and condition.details["code"].startswith(PREGNANCY_CODE) and self._is_child:
            assertion = OTHER
        if assertion == PRESENT and (is_history(condition.details["code"]) or condition.details["status"] == RESOLVED):
            assertion = HISTORICAL
        concept = row.concept or condition.details["code"]
        return self._mention(condition.kind, row.start, row.end, concept, {**condition.details, "assertion": assertion})

    @cached_property
    def _is_child(self) -> bool:
        return is_child(self.text)


_OF_THE_NEXT = re.compile(
    r"(?:,|\band\b|\bwith\b|\bplus\b)\s*(?:and\s+)?(?:topical|oral|intravenous|iv|inhaled|nasal|rectal|intramuscular|subcutaneous|transdermal)\s*$",
    re.IGNORECASE,
)
"""The route of the next medication in the words before it."""
_REASON = re.compile(r"[^().;。；（）\n]{0,30}[(（](?P<reason>[^()（）\d]{2,60})[)）]")
"""What stands in brackets behind a stopped medication is why it was stopped, no present finding."""


@cache
def _matcher(kind: str) -> Phrases[str]:
    """Names of the lexicon's findings or of anatomy, in both languages: Chinese notes use English abbreviations."""
    rows = []
    for concept in concepts().values():
        if concept.kind != "drug" and (concept.kind == "anatomy") is (kind == "anatomy"):
            names = [term for terms in concept.terms.values() for term in terms if term]
            rows += [(tokens(name).words, concept.code) for name in names]
    return Phrases(rows)


def _allergen_code(words: str) -> str:
    """The allergen's code if the words name exactly one: mixtures ("Bactrim") have one although the drug has none."""
    found = resolve(words, "allergen")
    return found[0].code if len(found) == 1 and found[0].certainty == 1 else ""


def _title(candidate: Candidate) -> dict[str, str]:
    return {"en": candidate.name, "zh-hans": candidate.name}


def _concept(candidate: Candidate) -> str:
    """The lexicon's code of a single substance that it knows, else the names of the ingredients."""
    return "-".join(candidate.ingredients or (candidate.name,)).replace(" ", "_")

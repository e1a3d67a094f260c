"""Note extraction: store results, explain specialties, review concepts."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import System
from apps.accounts.models import User
from apps.inference.models import PackageVersion
from apps.inference.output_checks import require_finite, require_valid_answer
from apps.jobs import leases
from apps.jobs.enqueue import enqueue_job
from apps.jobs.errors import UserError
from apps.jobs.events import publish
from apps.jobs.models import Urgency
from apps.notes import discordance, summary_requests
from apps.notes.events import ConceptReviewed, NoteExtracted
from apps.notes.models import Concept, ConceptVerdict, Note, NoteExtraction, SpecialtyExplanation
from apps.notes.proposals import NO_KNOWN, proposals
from apps.protection import blobs
from apps.records.access import models_permitted, require
from apps.records.models import NoKnown
from apps.records.observations import add
from apps.records.statement_entry import enter_statement
from apps.terminology.lexicon import concepts

if TYPE_CHECKING:  # the NLP libraries are installed on workers only
    from apps.notes.nlp.understanding import NoteAnalysis

SPECIALTY = "note-specialty"
ACTOR = System("note extraction")
MAX_CONCEPTS = 2000
"""Mentions stored per note; the number beyond it is stored as ``more`` and shown."""
FIELDS = ("negated", "uncertain", "historical", "family")


def text_of(reading: NoteExtraction) -> str:
    """The text of the extraction's note revision."""
    return str(reading.note.revisions.get(number=reading.revision).text)


def specialties() -> list[PackageVersion]:
    """Active packages that classify a note's specialty, newest version first."""
    rows = PackageVersion.objects.filter(name=SPECIALTY, active=True)
    return sorted(rows, key=lambda row: [int(part) for part in row.version.split(".")], reverse=True)


def store_extraction(reading: NoteExtraction, analysis: NoteAnalysis) -> None:
    """Store concepts and vectors; then update discordances, request a summary and publish NoteExtracted."""
    require_valid_answer(analysis.specialty)
    require_finite(analysis.vectors)
    extracted = analysis.reading
    buffer = io.BytesIO()
    np.save(buffer, analysis.vectors, allow_pickle=False)
    reading.language = extracted.language
    reading.found = {
        "sections": [[part.name, part.start, part.body, part.end] for part in extracted.sections],
        "sentences": extracted.sentences,
        "specialty": analysis.specialty,
        "maker": analysis.maker,
        "more": max(len(extracted.mentions) - MAX_CONCEPTS, 0),
    }
    reading.embedding = True
    reading.save(update_fields=["language", "found", "embedding"])
    blobs.write(reading.blob, buffer.getvalue(), holder=reading.key_holder)
    Concept.objects.filter(reading=reading).delete()
    rows = [_concept(reading, mention) for mention in extracted.mentions[:MAX_CONCEPTS]]
    rows += _no_known(reading, analysis)
    Concept.objects.bulk_create(rows, batch_size=500)
    audit.record(ACTOR, "note.read", reading, revision=reading.revision)
    case = reading.note.case
    discordance.compare(case)
    summary_requests.request_summary(case)
    publish(NoteExtracted(case.pk))


def newest(note: Note) -> NoteExtraction | None:
    """The extraction of the note's current revision."""
    return note.readings.filter(revision=note.revision).select_related("note__case").first()


def retry(reading: NoteExtraction, *, actor: User) -> bool:
    """Retry a failed extraction; return False if it did not fail.

    Raises:
        PermissionError: if the actor does not see the case.
    """
    require(actor, "records.view_case", reading.note.case)
    return leases.retry(reading)


def request_specialty_explanation(reading: NoteExtraction, *, actor: User) -> SpecialtyExplanation | None:
    """Request an explanation of a note's specialty; None if it has none. Requests share one explanation.

    Raises:
        PermissionError: if the actor does not see the case.
        UserError: ``no_ai_consent`` or ``model_missing``.
    """
    require(actor, "records.view_case", reading.note.case)
    if not models_permitted(reading.note.case.patient):
        raise UserError("no_ai_consent")
    name, _space, version = reading.found.get("specialty", {}).get("model", "").partition(" ")
    if not name:
        return None
    package = PackageVersion.objects.filter(name=name, version=version).first()
    if package is None:
        raise UserError("model_missing")
    with transaction.atomic():
        why, created = SpecialtyExplanation.objects.get_or_create(
            reading=reading, package=package, defaults={"urgency": Urgency.INTERACTIVE}
        )
        if created:
            enqueue_job(why)
            audit.record(actor, "note.explained", reading.note, why="treatment")
    leases.retry(why)
    return why


def store_specialty_explanation(why: SpecialtyExplanation, answer: dict[str, Any]) -> None:
    """Store the explanation.

    Raises:
        UserError: ``model_output_invalid``.
    """
    require_valid_answer(answer)
    why.answer = answer
    why.save(update_fields=["answer"])


def confirm(
    concept: Concept,
    *,
    actor: User,
    entries: Sequence[Mapping[str, Any]] | None = None,
    override: str = "",
) -> bool:
    """Confirm a concept and write its lines into the record. Returns False if the concept was confirmed before.

    Args:
        entries: the lines as the clinician saw and changed them, in the order of the proposals; without them the
            proposals are written.
        override: why a drug is recorded despite the warnings of the order check.

    Raises:
        PermissionError: if the actor does not see the case.
        OrderQuestion, ValueQuestion: if a warning or an ambiguous value has to be decided first; nothing is written.
        UserError: if a line is rejected; nothing is written.
    """
    case = concept.reading.note.case
    require(actor, "records.view_case", case)
    lines = proposals(concept, words_of(concept))
    with transaction.atomic():
        if not _decide(concept, ConceptVerdict.CONFIRMED, actor):
            return False
        for number, line in enumerate(lines):
            entry = {**line.entry, **(entries[number] if entries is not None else {})}
            if line.measure is not None:
                _add_observation(concept, entry, actor)
            else:
                enter_statement(case, {"kind": line.kind, **entry}, actor=actor, override=override)
    return True


def words_of(concept: Concept) -> str:
    """The note's own wording of the concept."""
    return " ".join(text_of(concept.reading)[concept.start : concept.end].split())


def code_of(concept: Concept) -> str:
    """The code of the concept, if its wording is a name of exactly what the code means; else empty.

    ICD-10-CM for problems. Historical problems get none from the lexicon: ICD-10-CM codes them separately.
    """
    if "code" in concept.details:
        return str(concept.details["code"])
    known = concepts().get(concept.details["concept"])
    if known is None or concept.historical or not known.denoted_by(words_of(concept)):
        return ""
    return known.code if known.kind == "drug" else known.icd10


def reject(concept: Concept, *, actor: User) -> bool:
    """Reject a wrongly extracted concept; return False if it was rejected before.

    Raises:
        PermissionError: if the actor does not see the case.
    """
    case = concept.reading.note.case
    require(actor, "records.view_case", case)
    with transaction.atomic():
        done = _decide(concept, ConceptVerdict.REJECTED, actor)
        if done and concept.label:
            discordance.compare(case)
    return done


def _decide(concept: Concept, verdict: ConceptVerdict, actor: User) -> bool:
    rows = Concept.objects.filter(pk=concept.pk).exclude(verdict=verdict)
    done = rows.update(verdict=verdict, decided_by=actor, decided_at=timezone.now())
    if done:
        audit.record(actor, "concept.decided", concept, why="treatment", verdict=verdict.value)
        publish(ConceptReviewed(concept.reading.note.case_id))
    return bool(done)


def _add_observation(concept: Concept, entry: Mapping[str, Any], actor: User) -> None:
    """Add a value; one that is recorded already for this time is no error."""
    note = concept.reading.note
    try:
        add(
            note.case,
            str(entry["code"]),
            str(entry["value"]),
            str(entry.get("unit") or ""),
            note.written_at,
            actor=actor,
            source="note",
            chosen=entry.get("chosen"),
            listed_unit=False,
        )
    except UserError as refusal:
        if refusal.code != "value_twice":
            raise


def _concept(reading: NoteExtraction, mention) -> Concept:  # type: ignore[no-untyped-def]
    row = Concept(
        reading=reading,
        kind=mention.kind,
        start=mention.start,
        end=mention.end,
        label=mention.details.get("label", ""),
        **{name: name in mention.assertions for name in FIELDS},
    )
    row.details = {
        **mention.details,
        "concept": mention.concept,
        "section": mention.section,
        "title": mention.details.get("title") or {"en": mention.text, "zh-hans": mention.text},
    }
    return row


def _no_known(reading: NoteExtraction, analysis: NoteAnalysis) -> list[Concept]:
    """Return a mention for the sentence that says that no allergies are known, unless the note names an allergy."""
    from apps.notes.nlp.allergies import denies_allergies, denies_drug_allergies

    extracted = analysis.reading
    if any(mention.details.get("allergy") for mention in extracted.mentions):
        return []
    text = text_of(reading)
    for scope, denies in ((NoKnown.DRUG, denies_drug_allergies), (NoKnown.ALLERGIES, denies_allergies)):
        for start, end in extracted.sentences:
            if denies(text[start:end]):
                row = Concept(reading=reading, kind=NO_KNOWN, start=start, end=end)
                words = " ".join(text[start:end].split())
                row.details = {
                    "concept": NO_KNOWN, "no_known": scope.value, "section": "",
                    "title": {"en": words, "zh-hans": words},
                }  # fmt: skip
                return [row]
    return []

"""Reading notes: the row that a worker takes, and what it leaves."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import System
from apps.accounts.models import User
from apps.inference.models import PackageVersion
from apps.jobs import leases
from apps.jobs.enqueue import enqueue_job
from apps.jobs.errors import ReadableError
from apps.jobs.events import publish
from apps.jobs.models import Urgency
from apps.notes import discordance, summary_requests
from apps.notes.events import ConceptReviewed, NoteExtracted
from apps.notes.models import Concept, ConceptVerdict, Note, Reading, Why
from apps.protection import blobs
from apps.records.access import models_permitted, require
from apps.records.models import StatementKind
from apps.records.observations import add
from apps.records.problem_list import state
from apps.terminology.loinc import catalogue

if TYPE_CHECKING:  # the language libraries are the workers'
    from apps.notes.nlp.understanding import Understood

SPECIALTY = "note-specialty"
ACTOR = System("a note was read")
MOST_CONCEPTS = 2000
"""Mentions of a note that are kept; how many more there are is said."""
FIELDS = ("negated", "uncertain", "historical", "family")


def text_of(reading: Reading) -> str:
    """The text of the revision that is to be read."""
    return str(reading.note.revisions.get(number=reading.revision).text)


def specialties() -> list[PackageVersion]:
    """Packages that tell a note's specialty, the newest version first."""
    rows = PackageVersion.objects.filter(name=SPECIALTY, active=True)
    return sorted(rows, key=lambda row: [int(part) for part in row.version.split(".")], reverse=True)


def record(reading: Reading, understood: Understood) -> None:
    """Keep what was read, and have done what follows from it: contradictions, summary, joined risk."""
    found = understood.reading
    buffer = io.BytesIO()
    np.save(buffer, understood.vectors, allow_pickle=False)
    reading.language = found.language
    reading.found = {
        "sections": [[part.name, part.start, part.body, part.end] for part in found.sections],
        "sentences": found.sentences,
        "specialty": understood.specialty,
        "maker": understood.maker,
        "more": max(len(found.mentions) - MOST_CONCEPTS, 0),
    }
    reading.embedding = True
    reading.save(update_fields=["language", "found", "embedding"])
    blobs.write(reading.blob, buffer.getvalue(), holder=reading.key_holder)
    Concept.objects.filter(reading=reading).delete()
    rows = [_concept(reading, mention) for mention in found.mentions[:MOST_CONCEPTS]]
    Concept.objects.bulk_create(rows, batch_size=500)
    audit.record(ACTOR, "note.read", reading, revision=reading.revision)
    case = reading.note.case
    discordance.compare(case)
    summary_requests.request_summary(case)
    publish(NoteExtracted(case.pk))


def newest(note: Note) -> Reading | None:
    """The reading of the note as it is now."""
    return note.readings.filter(revision=note.revision).select_related("note__case").first()


def retry(reading: Reading, *, actor: User) -> bool:
    """Have a note read again after a failure; False if it did not fail.

    Raises:
        PermissionError: if the actor does not see the case.
    """
    require(actor, "records.view_case", reading.note.case)
    return leases.retry(reading)


def ask_why(reading: Reading, *, actor: User) -> Why | None:
    """Have a note's specialty explained; None if it was given none. A hundred askers get the same answer.

    Raises:
        PermissionError: if the actor does not see the case.
        ReadableError: ``no_ai_consent`` or ``model_missing``.
    """
    require(actor, "records.view_case", reading.note.case)
    if not models_permitted(reading.note.case.patient):
        raise ReadableError("no_ai_consent")
    name, _space, version = reading.found.get("specialty", {}).get("model", "").partition(" ")
    if not name:
        return None
    package = PackageVersion.objects.filter(name=name, version=version).first()
    if package is None:
        raise ReadableError("model_missing")
    with transaction.atomic():
        why, created = Why.objects.get_or_create(
            reading=reading, package=package, defaults={"urgency": Urgency.INTERACTIVE}
        )
        if created:
            enqueue_job(why)
            audit.record(actor, "note.explained", reading.note, why="treatment")
    leases.retry(why)
    return why


def confirm(concept: Concept, *, actor: User) -> bool:
    """A clinician says that it is so; problems, medication and values go into the record. False if it was said before.

    Raises:
        PermissionError: if the actor does not see the case.
        ReadableError: if a value cannot be taken.
    """
    case = concept.reading.note.case
    require(actor, "records.view_case", case)
    with transaction.atomic():
        if not _decide(concept, ConceptVerdict.CONFIRMED, actor):
            return False
        details = concept.details
        if concept.negated or concept.family:
            return True
        if concept.kind in ("problem", "symptom") and not concept.uncertain:
            state(case, StatementKind.PROBLEM, text=details["title"]["en"], code=details.get("icd10", ""), actor=actor)
        elif concept.kind == "drug":
            kind = StatementKind.ALLERGY if details.get("allergy") else StatementKind.MEDICATION
            doses = {name: details.get(name, "") for name in ("dose", "route", "schedule")}
            state(case, kind, text=details["title"]["en"], code=details["concept"], actor=actor, **doses)
        elif concept.kind == "measurement" and details["concept"] in catalogue():
            _take_value(concept, actor)
    return True


def reject(concept: Concept, *, actor: User) -> bool:
    """A clinician says that it was read wrongly; False if it was said before.

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


def _take_value(concept: Concept, actor: User) -> None:
    note, details = concept.reading.note, concept.details
    try:
        add(
            note.case,
            details["concept"],
            str(details["values"][0]),
            details["unit"],
            note.written_at,
            actor=actor,
            source="note",
        )
    except ReadableError as refusal:
        if refusal.code != "value_twice":
            raise


def _concept(reading: Reading, mention) -> Concept:  # type: ignore[no-untyped-def]
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

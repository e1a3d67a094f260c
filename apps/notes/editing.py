"""Writing notes: nothing that anybody typed is lost."""

from __future__ import annotations

import unicodedata

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import User
from apps.jobs.enqueue import enqueue_job
from apps.jobs.errors import UserError
from apps.jobs.models import Urgency
from apps.notes.models import Draft, Note, NoteExtraction, NoteKind, NoteRevision
from apps.notes.search import write_tokens
from apps.records.access import models_permitted, require
from apps.records.conflicts import EditConflict
from apps.records.event_log import log_event
from apps.records.models import Case, EventKind

MAX_CHARACTERS = 1_000_000
MOST_ODD = 0.02
"""A text with a larger share of control signs or lost letters is a file."""


def cleaned(text: str) -> str:
    """The text as it is kept: composed letters, one kind of line end, no control signs. Markup stays text.

    Raises:
        UserError: ``note_empty``, ``note_binary`` or ``note_too_long``.
    """
    odd = sum(
        (unicodedata.category(sign) in ("Cc", "Cn", "Co", "Cs") and sign not in "\n\r\t") or sign == "\ufffd"
        for sign in text
    )
    if odd > max(3, MOST_ODD * len(text)):
        raise UserError("note_binary")
    if len(text) > MAX_CHARACTERS:
        raise UserError("note_too_long", letters=f"{len(text):,}", most=f"{MAX_CHARACTERS:,}")
    plain = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    plain = "".join(sign for sign in plain if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs"))
    if not plain.strip():
        raise UserError("note_empty")
    return plain.rstrip()


def write(case: Case, text: str, *, kind: str = NoteKind.PROGRESS, actor: User) -> Note:
    """Add a note; the draft it grew from goes.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: if the text cannot be kept or the case is closed.
    """
    require(actor, "records.view_case", case)
    text = cleaned(text)
    with transaction.atomic():
        if not Case.objects.select_for_update().get(pk=case.pk).is_open:
            raise UserError("case_closed")
        note = Note(case=case, kind=kind, author=actor)
        note.text = text
        note.save(force_insert=True)
        _keep(note, actor)
        Draft.objects.filter(case=case, note=None, user=actor).delete()
        log_event(
            case,
            EventKind.NOTE,
            f"note.{kind}",
            subject=f"note:{note.pk}",
            actor=actor,
            sort=str(NoteKind(kind).label),
            at=note.written_at,
        )
        audit.record(actor, "note.written", note, why="treatment")
    return note


def rewrite(note: Note, text: str, *, revision: int, actor: User) -> Note:
    """Change a note, if nobody else has since ``revision``; saving the same text changes nothing.

    Raises:
        PermissionError: if the actor does not care for the patient.
        Changed: with the note as it is now; the actor's text is kept as a draft.
        UserError: if the text cannot be kept or the case is closed.
    """
    require(actor, "records.view_case", note.case)
    text = cleaned(text)
    with transaction.atomic():
        now = Note.objects.select_for_update().select_related("case").get(pk=note.pk)
        if not now.case.is_open:
            raise UserError("case_closed")
        settled = now.text == text
        if not settled and now.revision == revision:
            settled = True
            now.text = text
            now.revision += 1
            now.changed_at = timezone.now()
            now.save()
            _keep(now, actor)
            audit.record(actor, "note.changed", now, why="treatment", revision=now.revision)
        if settled:
            Draft.objects.filter(case=now.case, note=now, user=actor).delete()
            return now
    save_draft(note.case, text, note=note, revision=revision, actor=actor)
    raise EditConflict("note_changed", now)


def save_draft(case: Case, text: str, *, note: Note | None, revision: int, actor: User) -> Draft:
    """Keep what is being written; an empty text removes the draft's content but not the draft.

    Raises:
        PermissionError: if the actor does not care for the patient.
    """
    require(actor, "records.view_case", case)
    text = text[:MAX_CHARACTERS]
    for _ in range(2):
        draft = Draft.objects.filter(case=case, note=note, user=actor).first() or Draft(
            case=case, note=note, user=actor
        )
        draft.text, draft.base_revision, draft.saved_at = text, revision, timezone.now()
        try:
            with transaction.atomic():
                draft.save()
        except IntegrityError:  # two windows at once: the other one has made it
            continue
        return draft
    raise RuntimeError("a draft is made and removed again and again")


def draft_of(case: Case, note: Note | None, user: User) -> Draft | None:
    """What the user was writing."""
    draft = Draft.objects.filter(case=case, note=note, user=user).select_related("case").first()
    return draft if draft is not None and draft.text.strip() else None


def _keep(note: Note, actor: User) -> None:
    """The revision, the index, and the wish to have it read."""
    revision = NoteRevision(note=note, number=note.revision, author=actor)
    revision.text = note.text
    revision.save(force_insert=True)
    write_tokens(note)
    if models_permitted(note.case.patient):
        reading = NoteExtraction(note=note, revision=note.revision, urgency=Urgency.INTERACTIVE)
        reading.save(force_insert=True)
        enqueue_job(reading)

"""Creating and editing notes, with drafts and conflict detection: nothing that was typed is lost."""

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
MAX_UNPRINTABLE_SHARE = 0.02
"""A text with a larger share of control or replacement characters is treated as a binary file."""


def cleaned(text: str) -> str:
    """Normalise a note's text for storage: Unicode NFC, ``\\n`` line ends, no control characters. Markup stays text.

    Raises:
        UserError: ``note_empty``, ``note_binary`` or ``note_too_long``.
    """
    unprintable = sum(
        (unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs") and character not in "\n\r\t")
        or character == "\ufffd"
        for character in text
    )
    if unprintable > max(3, MAX_UNPRINTABLE_SHARE * len(text)):
        raise UserError("note_binary")
    if len(text) > MAX_CHARACTERS:
        raise UserError("note_too_long", letters=f"{len(text):,}", most=f"{MAX_CHARACTERS:,}")
    normalised = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    normalised = "".join(
        character
        for character in normalised
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs")
    )
    if not normalised.strip():
        raise UserError("note_empty")
    return normalised.rstrip()


def write(case: Case, text: str, *, kind: str = NoteKind.PROGRESS, actor: User) -> Note:
    """Create a note and delete the author's draft of it.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: if the text is rejected or the case is closed.
    """
    require(actor, "records.view_case", case)
    text = cleaned(text)
    with transaction.atomic():
        if not Case.objects.select_for_update().get(pk=case.pk).is_open:
            raise UserError("case_closed")
        note = Note(case=case, kind=kind, author=actor)
        note.text = text
        note.save(force_insert=True)
        _store_revision(note, actor)
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
    """Edit a note if nobody else has since ``revision``; saving the same text changes nothing.

    Raises:
        PermissionError: if the actor does not care for the patient.
        EditConflict: with the current note; the actor's text is saved as a draft.
        UserError: if the text is rejected or the case is closed.
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
            _store_revision(now, actor)
            audit.record(actor, "note.changed", now, why="treatment", revision=now.revision)
        if settled:
            Draft.objects.filter(case=now.case, note=now, user=actor).delete()
            return now
    save_draft(note.case, text, note=note, revision=revision, actor=actor)
    raise EditConflict("note_changed", now)


def save_draft(case: Case, text: str, *, note: Note | None, revision: int, actor: User) -> Draft:
    """Create or update a draft; an empty text clears its content but keeps the row.

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
        except IntegrityError:  # another window created it at the same time
            continue
        return draft
    raise RuntimeError("a draft is created and deleted repeatedly by other windows")


def draft_of(case: Case, note: Note | None, user: User) -> Draft | None:
    """Return the user's unsaved text for a note (None: a new note), if there is any."""
    draft = Draft.objects.filter(case=case, note=note, user=user).select_related("case").first()
    return draft if draft is not None and draft.text.strip() else None


def _store_revision(note: Note, actor: User) -> None:
    """Store the revision, update the search index and queue the extraction."""
    revision = NoteRevision(note=note, number=note.revision, author=actor)
    revision.text = note.text
    revision.save(force_insert=True)
    write_tokens(note)
    if models_permitted(note.case.patient):
        reading = NoteExtraction(note=note, revision=note.revision, urgency=Urgency.INTERACTIVE)
        reading.save(force_insert=True)
        enqueue_job(reading)

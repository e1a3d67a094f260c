"""Notes with revisions, drafts and search tokens, and what was extracted from them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.inference.models import PackageVersion
from apps.jobs.models import Job
from apps.protection.fields import SealedJSONField, SealedTextField
from apps.protection.models import SealedRecord
from apps.records.models import Case


class NoteKind(models.TextChoices):
    """Type of note."""

    PROGRESS = "progress", _("Progress note")
    ADMISSION = "admission", _("Admission note")
    CONSULT = "consult", _("Consultation")
    NURSING = "nursing", _("Nursing note")
    REPORT = "report", _("Outside report")
    DISCHARGE = "discharge", _("Discharge summary")


class Note(SealedRecord):
    """A note's current text; every saved text is a NoteRevision."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="notes")
    kind = models.CharField(max_length=10, choices=NoteKind, default=NoteKind.PROGRESS)
    text = SealedTextField()
    revision = models.PositiveIntegerField(default=1)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = _("notes")
        ordering = ["-written_at", "-id"]
        indexes = [models.Index(fields=["case", "-written_at"], name="notes_of_a_case")]


class NoteRevision(SealedRecord):
    """A note's text as it was saved. Append-only."""

    holder_path = "note.case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    text = SealedTextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["note", "number"], name="one_text_a_revision")]


class Draft(SealedRecord):
    """A user's autosaved text: of a new note (``note`` is null) or of an edit."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    note = models.ForeignKey(Note, null=True, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    text = SealedTextField()
    base_revision = models.PositiveIntegerField(default=0)
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "note", "user"], nulls_distinct=False, name="one_draft_a_writer")
        ]


class NoteToken(models.Model):
    """Blind index of one word of a note under one index key; truncated to few bits (see apps.notes.search)."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="tokens")
    token = models.CharField(max_length=32)
    key_id = models.BigIntegerField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["token", "note"], name="note_by_token")]
        constraints = [models.UniqueConstraint(fields=["note", "token", "key_id"], name="one_token_a_note")]


class NoteExtraction(SealedRecord, Job):
    """Extraction job of one note revision: sections, sentences, concepts, specialty."""

    holder_path = "note.case.patient_id"
    task_name: ClassVar[str] = "notes.extract_note"

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="readings")
    revision = models.PositiveIntegerField()
    language = models.CharField(max_length=2, blank=True)
    found = SealedJSONField(help_text="sections, sentences, specialty; with whose model.")
    embedding = models.BooleanField(default=False, help_text="Whether the sentences' vectors are stored.")

    class Meta:
        verbose_name_plural = _("note extractions")
        ordering = ["-revision"]
        indexes = [models.Index(fields=["state", "urgency", "queued_at"], name="reading_queue")]
        constraints = [models.UniqueConstraint(fields=["note", "revision"], name="one_reading_a_revision")]

    @property
    def blob(self) -> str:
        """Name of the sealed sentence vectors."""
        return f"readings/{self.pk.hex[:2]}/{self.pk.hex}.npy"

    def sealed_blobs(self) -> list[str]:
        """The vectors, once stored."""
        return [self.blob] if self.embedding else []


class SpecialtyExplanation(SealedRecord, Job):
    """Explanation of a note's predicted specialty: SHAP values of the words in its first characters."""

    holder_path = "reading.note.case.patient_id"
    task_name: ClassVar[str] = "notes.explain_specialty"

    reading = models.ForeignKey(NoteExtraction, on_delete=models.CASCADE, related_name="whys")
    package = models.ForeignKey(PackageVersion, on_delete=models.PROTECT, related_name="+")
    answer = SealedJSONField()

    class Meta:
        indexes = [models.Index(fields=["state", "urgency", "queued_at"], name="why_queue")]
        constraints = [models.UniqueConstraint(fields=["reading", "package"], name="one_why_a_reading")]


class ConceptVerdict(models.TextChoices):
    """A clinician's review of an extracted concept."""

    PENDING = "", _("Not reviewed")
    CONFIRMED = "confirmed", _("Confirmed")
    REJECTED = "rejected", _("Incorrect")


class Concept(SealedRecord):
    """A concept extracted from a note; its text is ``text[start:end]``."""

    holder_path = "reading.note.case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reading = models.ForeignKey(NoteExtraction, on_delete=models.CASCADE, related_name="concepts")
    kind = models.CharField(max_length=12)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    label = models.CharField(max_length=64, blank=True, help_text="The finding label that means the same.")
    negated = models.BooleanField(default=False)
    uncertain = models.BooleanField(default=False)
    historical = models.BooleanField(default=False)
    family = models.BooleanField(default=False)
    details = SealedJSONField(help_text="concept, section, ICD-10-CM code, dose, values, unit.")
    verdict = models.CharField(max_length=10, choices=ConceptVerdict, default=ConceptVerdict.PENDING, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["start", "end"]
        indexes = [models.Index(fields=["label"], condition=~models.Q(label=""), name="concept_labels")]

    @property
    def assertions(self) -> list[str]:
        """The assertions that are set, by name."""
        return [name for name in ("negated", "uncertain", "historical", "family") if getattr(self, name)]

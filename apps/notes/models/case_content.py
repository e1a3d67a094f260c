"""Derived from all notes of a case: summary, discordance with imaging, similarity vector."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.inference.models import Finding
from apps.jobs.models import Job
from apps.notes.models.note import Concept
from apps.protection.fields import SealedJSONField
from apps.protection.models import SealedRecord
from apps.records.models import Case


class Summary(SealedRecord, Job):
    """A summary of the case; each sentence cites its source."""

    holder_path = "case.patient_id"
    task_name: ClassVar[str] = "notes.summarise_case"

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="summaries")
    content = SealedJSONField(help_text="sentences with source and support; how they were made.")

    class Meta:
        verbose_name_plural = _("summaries")
        ordering = ["-queued_at"]
        indexes = [models.Index(fields=["state", "urgency", "queued_at"], name="summary_queue")]
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=models.Q(state="queued"), name="one_summary_waits_a_case"
            )
        ]


class Discordance(SealedRecord):
    """A contradiction between a concept in a note and a finding of an imaging model."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="discordances")
    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="+")
    concept = models.ForeignKey(Concept, on_delete=models.CASCADE, related_name="+")
    found_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-found_at"]
        constraints = [models.UniqueConstraint(fields=["finding", "concept"], name="one_discordance_a_pair")]


class CaseVector(SealedRecord):
    """A unit-length embedding of the case (sealed blob), used for similar-case search."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="vector")
    made_at = models.DateTimeField(default=timezone.now)
    parts = models.JSONField(default=list, help_text="What went in: image, text.")
    maker = models.CharField(max_length=80, help_text="Of which text model; vectors of different ones do not compare.")

    @property
    def blob(self) -> str:
        """Name of the sealed vector."""
        return f"case-vectors/{self.pk.hex[:2]}/{self.pk.hex}.npy"

    def sealed_blobs(self) -> list[str]:
        """The vector."""
        return [self.blob]

"""The case: an episode of care to which notes, values, predictions and reports belong."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import CareTeam
from apps.imaging.models import Study
from apps.patients.models import Patient
from apps.protection.fields import SealedTextField
from apps.protection.models import SealedRecord


class CaseStatus(models.TextChoices):
    """Status of an episode of care; a subset of FHIR's EpisodeOfCare.status."""

    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")
    MERGED = "merged", _("Merged into another case")


class Priority(models.IntegerChoices):
    """Priority of the case; primary sort key of the case list."""

    ROUTINE = 0, _("Routine")
    HIGH = 1, _("High")
    URGENT = 2, _("Urgent")


class Case(SealedRecord):
    """An episode of care of one patient."""

    holder_path = "patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="cases")
    title = SealedTextField()
    status = models.CharField(max_length=8, choices=CaseStatus, default=CaseStatus.OPEN)
    priority = models.SmallIntegerField(choices=Priority, default=Priority.ROUTINE)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    care_team = models.ForeignKey(CareTeam, null=True, on_delete=models.SET_NULL, related_name="+")
    studies = models.ManyToManyField(Study, related_name="cases", blank=True)
    started_at = models.DateTimeField(default=timezone.now, help_text="Admission: hours are counted from here.")
    closed_at = models.DateTimeField(null=True)
    merged_into = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="merged")
    revision = models.PositiveIntegerField(
        default=1, help_text="Counts changes: who saves must have seen the last one."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = _("cases")
        indexes = [
            models.Index(fields=["status", "-priority", "-touched_at", "-id"], name="case_list_order"),
            models.Index(fields=["patient", "status"], name="cases_of_a_patient"),
        ]

    def __str__(self) -> str:
        return f"Case {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether the case may be edited."""
        return self.status == CaseStatus.OPEN

    @property
    def number(self) -> str:
        """A short identifier that reveals nothing about the patient."""
        return self.pk.hex[:6].upper()

    def hour_of(self, moment: datetime) -> float:
        """Return the hours since admission."""
        return (moment - self.started_at).total_seconds() / 3600

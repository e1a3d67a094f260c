"""Observations, and imports of observations under review."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.protection.fields import SealedJSONField
from apps.protection.models import SealedRecord
from apps.records.models.case import Case


class Observation(SealedRecord):
    """A measured value in the unit of its catalogue entry. FHIR: Observation."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="observations")
    code = models.CharField(max_length=24, help_text="LOINC, or a code of our own.")
    at = models.DateTimeField()
    content = SealedJSONField(help_text="value, comparator, as_entered, unit_as_entered.")
    origin = models.CharField(
        max_length=40, blank=True, help_text="Number of the merged case it came from, beside a value of the same time."
    )
    source = models.CharField(max_length=10, default="entry", help_text="entry, csv, fhir, note or api.")
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(default=timezone.now)
    voided_at = models.DateTimeField(null=True, help_text="Entered in error.")

    class Meta:
        verbose_name_plural = _("observations")
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["case", "code", "at"], name="values_of_a_case")]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "code", "at", "origin"], condition=models.Q(voided_at=None), name="one_value_at_a_time"
            )
        ]

    @property
    def value(self) -> float:
        """The number; of a censored value the limit that it lies below or above."""
        return float(self.content["value"])

    @property
    def comparator(self) -> str:
        """``<``, ``<=``, ``>`` or ``>=`` of a censored value, else empty."""
        return str(self.content.get("comparator", ""))


class ObservationImport(SealedRecord):
    """A file of values that a user reviews before it is imported."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="imports")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=10)
    at = models.DateTimeField(auto_now_add=True)
    taken_at = models.DateTimeField(null=True)


class ObservationImportRow(SealedRecord):
    """A row of an imported file: its value, or why it cannot be imported."""

    holder_path = "parcel.case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    parcel = models.ForeignKey(ObservationImport, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    content = SealedJSONField(
        help_text="As written; code, at, value, comparator if it can be taken; choices if it is asked about."
    )
    reason_code = models.CharField(max_length=40, blank=True)
    reason_parameters = SealedJSONField()

    class Meta:
        ordering = ["number"]

    @property
    def choices(self) -> list[dict[str, Any]]:
        """The values that the row may stand for, with the text of each reading."""
        return list(self.content.get("choices", []))

    @property
    def reason(self) -> str:
        """Why the row cannot be imported, in the current language."""
        from apps.jobs.errors import message

        return message(self.reason_code, self.reason_parameters)

"""Problems, allergies and medication of a patient."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.protection.fields import SealedJSONField
from apps.protection.models import SealedRecord
from apps.records.models.case import Case


class StatementKind(models.TextChoices):
    """Kind of statement. FHIR: Condition, AllergyIntolerance, MedicationStatement."""

    PROBLEM = "problem", _("Problem")
    ALLERGY = "allergy", _("Allergy")
    MEDICATION = "medication", _("Medication")


class StatementStatus(models.TextChoices):
    """Status of a statement."""

    ACTIVE = "active", _("Active")
    RESOLVED = "resolved", _("Resolved")
    ERROR = "error", _("Entered in error")


class Statement(SealedRecord):
    """A problem, allergy or medication of the patient, recorded in a case."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="statements")
    kind = models.CharField(max_length=10, choices=StatementKind)
    status = models.CharField(max_length=10, choices=StatementStatus, default=StatementStatus.ACTIVE)
    since = models.DateField(null=True)
    details = SealedJSONField(help_text="text, code; of medication dose, route, schedule; of allergies reaction.")
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["kind", "status", "-entered_at"]
        indexes = [models.Index(fields=["case", "kind", "status"], name="statements_of_a_case")]

    @property
    def code(self) -> str:
        """ICD-10-CM code of a problem, local code of a medication, or empty."""
        return str(self.details.get("code", ""))

    @property
    def remarks(self) -> list[str]:
        """Further details: dose, reaction …"""
        return [value for name, value in self.details.items() if name not in ("text", "code")]

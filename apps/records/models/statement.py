"""Problems, allergies and medication of a patient."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.protection.fields import SealedJSONField
from apps.protection.models import SealedRecord
from apps.records.dosage_words import shown_dosage
from apps.records.models.case import Case


class StatementKind(models.TextChoices):
    """Kind of statement. FHIR: Condition, AllergyIntolerance, MedicationStatement."""

    PROBLEM = "problem", _("Problem")
    ALLERGY = "allergy", _("Allergy")
    MEDICATION = "medication", _("Medication")


class StatementStatus(models.TextChoices):
    """Status of a statement. FHIR: clinicalStatus of Condition and Allergy, status of MedicationStatement."""

    ACTIVE = "active", _("Active")
    CONDITIONAL = "conditional", _("Planned under a condition")
    ON_HOLD = "on-hold", _("On hold")
    STOPPED = "stopped", _("Stopped")
    RESOLVED = "resolved", _("Resolved")
    ERROR = "error", _("Entered in error")


CURRENT = (StatementStatus.ACTIVE, StatementStatus.ON_HOLD)
"""A second statement of the same thing is not added beside one of these."""
STATUSES = {
    StatementKind.PROBLEM: (StatementStatus.ACTIVE, StatementStatus.RESOLVED),
    StatementKind.ALLERGY: (StatementStatus.ACTIVE, StatementStatus.RESOLVED),
    StatementKind.MEDICATION: (
        StatementStatus.ACTIVE, StatementStatus.ON_HOLD, StatementStatus.STOPPED, StatementStatus.CONDITIONAL,
    ),
}  # fmt: skip
"""The statuses that a kind of statement may have, beside ERROR."""


class Intent(models.TextChoices):
    """Why a medication is listed. FHIR: MedicationRequest.intent, and statements of what is taken."""

    TAKEN = "taken", _("Taken")
    ORDER = "order", _("Ordered")
    PLAN = "plan", _("Planned")


class Severity(models.TextChoices):
    """Severity of an allergic reaction. FHIR: AllergyIntolerance.reaction.severity."""

    MILD = "mild", _("Mild")
    MODERATE = "moderate", _("Moderate")
    SEVERE = "severe", _("Severe")


class Certainty(models.TextChoices):
    """Certainty of an allergy. FHIR: AllergyIntolerance.verificationStatus."""

    CONFIRMED = "confirmed", _("Confirmed")
    UNCONFIRMED = "unconfirmed", _("Unconfirmed")


class AllergyType(models.TextChoices):
    """FHIR: AllergyIntolerance.type."""

    ALLERGY = "allergy", _("Allergy")
    INTOLERANCE = "intolerance", _("Intolerance")


class NoKnown(models.TextChoices):
    """Scope of a statement that no allergies are known. FHIR: a code of its own in AllergyIntolerance.code."""

    ALLERGIES = "allergies", _("No known allergies")
    DRUG = "drug", _("No known drug allergies")


class Statement(SealedRecord):
    """A problem, allergy or medication of the patient, recorded in a case in the words that were written."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="statements")
    kind = models.CharField(max_length=10, choices=StatementKind)
    status = models.CharField(max_length=12, choices=StatementStatus, default=StatementStatus.ACTIVE)
    since = models.DateField(null=True)
    ended = models.DateField(null=True, help_text="When it was stopped or resolved, if that day is known.")
    details = SealedJSONField(
        help_text="text as written, code; of medication dose, unit, route, frequency, intent; of allergies type, "
        "reaction, severity, certainty, no_known; onset, ended_as_stated; override: why it was recorded despite a "
        "warning."
    )
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(default=timezone.now)
    coded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", help_text="Who chose the code."
    )

    corrects = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="corrected_by",
        help_text="The statement, entered in error, whose place it took.",
    )  # fmt: skip

    class Meta:
        ordering = ["kind", "status", "-entered_at"]
        indexes = [models.Index(fields=["case", "kind", "status"], name="statements_of_a_case")]

    @property
    def text(self) -> str:
        """What was written."""
        return str(self.details["text"])

    @property
    def code(self) -> str:
        """ICD-10-CM code of a problem, code of a medication's or an allergy's substance, or empty."""
        return str(self.details.get("code", ""))

    @property
    def is_current(self) -> bool:
        """Whether it is neither over nor entered in error."""
        return self.status in CURRENT

    @property
    def no_known(self) -> str:
        """Of which kind no allergies are known (see NoKnown); empty for a statement of an allergy."""
        return str(self.details.get("no_known", ""))

    @property
    def dosage(self) -> str:
        """Dose, route and frequency in the current language; empty if none was written."""
        return ", ".join(shown_dosage(self.details))

    @property
    def remarks(self) -> list[str]:
        """Further details in words: dosage, reaction, severity, when it began or ended."""
        return [text for text in (self.dosage, *self._labels(), str(self.details.get("onset", ""))) if text]

    def _labels(self) -> list[str]:
        details = self.details
        labels = [str(details.get("reaction", ""))]
        for name, choices, unsaid in (
            ("severity", Severity, ""),
            ("type", AllergyType, AllergyType.ALLERGY),
            ("certainty", Certainty, Certainty.CONFIRMED),
            ("intent", Intent, Intent.TAKEN),
        ):
            value = details.get(name, "")
            if value and value != unsaid and value in choices.values:
                labels.append(str(choices(value).label))
        return labels

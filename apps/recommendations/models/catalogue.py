"""Care items and the guideline rules that recommend them. No patient data."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.terminology.localisation import in_language


class ItemKind(models.TextChoices):
    """Kind of care."""

    SCREENING = "screening", _("Screening")
    VACCINATION = "vaccination", _("Vaccination")
    IMAGING = "imaging", _("Imaging")
    MEDICATION = "medication", _("Medication")
    LIFESTYLE = "lifestyle", _("Lifestyle")
    EDUCATION = "education", _("Education")
    APPOINTMENT = "appointment", _("Appointment")
    DEVICE = "device", _("Device")
    TREATMENT = "treatment", _("Treatment")


class CareItem(models.Model):
    """An item that can be recommended (FHIR ActivityDefinition)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=12, choices=ItemKind)
    content = models.JSONField(
        help_text="title, patient_text, what_to_do by language; codings; contraindications; after."
    )
    clinicians_only = models.BooleanField(default=False, help_text="Never shown to patients.")
    revision = models.PositiveIntegerField(default=1)
    withdrawn_at = models.DateTimeField(null=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["kind", "code"]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The title in the reader's language."""
        return in_language(self.content["title"])

    @property
    def patient_text(self) -> str:
        """The plain-language rationale in the reader's language."""
        return in_language(self.content["patient_text"])

    @property
    def what_to_do(self) -> str:
        """The plain-language instructions in the reader's language."""
        return in_language(self.content["what_to_do"])


class GuidelineRule(models.Model):
    """One version of a guideline rule (FHIR PlanDefinition action). At most one version of a code is active."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.SlugField(max_length=60)
    version = models.PositiveIntegerField(default=1)
    item = models.ForeignKey(CareItem, on_delete=models.PROTECT, related_name="rules")
    content = models.JSONField(
        help_text="condition (FHIRPath), effect, urgency, due_days, repeat_days, citation, url, grade, because, "
        "examples."
    )
    active = models.BooleanField(default=True)
    broken = models.CharField(max_length=300, blank=True, help_text="Why it could not be evaluated last.")
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["code", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="one_rule_a_version"),
            models.UniqueConstraint(fields=["code"], condition=models.Q(active=True), name="one_active_version_a_rule"),
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"

    @property
    def citation(self) -> str:
        """The guideline's reference."""
        return str(self.content["citation"])

    @property
    def examples(self) -> list[dict[str, Any]]:
        """Example patients with the expected outcome."""
        return list(self.content.get("examples", []))

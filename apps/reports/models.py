"""Reports of studies and cases, with their versions."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.imaging.models import Study
from apps.protection.fields import SealedJSONField
from apps.protection.models import SealedRecord
from apps.records.models import Case


class ReportState(models.TextChoices):
    """The values of FHIR DiagnosticReport.status in use here."""

    DRAFT = "draft", _("Draft")
    PRELIMINARY = "preliminary", _("Preliminary")
    FINAL = "final", _("Final")
    AMENDED = "amended", _("Amended")


class Report(SealedRecord):
    """The current content of a structured report; every issued version is a ReportVersion."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="reports")
    study = models.ForeignKey(Study, null=True, on_delete=models.SET_NULL, related_name="+")
    template = models.CharField(max_length=20)
    state = models.CharField(max_length=12, choices=ReportState, default=ReportState.DRAFT)
    revision = models.PositiveIntegerField(default=1)
    content = SealedJSONField(help_text="sections, measurements, key images.")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]

    @property
    def signed(self) -> bool:
        """Whether the report is final or amended."""
        return self.state in (ReportState.FINAL, ReportState.AMENDED)


class ReportVersion(SealedRecord):
    """A report's content as it was issued. Append-only."""

    holder_path = "report.case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=ReportState)
    content = SealedJSONField()
    reason = SealedJSONField(help_text="Why it was amended.")
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="one_version_a_number")]

"""Installed model packages, analyses, findings and reviews."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.imaging.models import Instance, Series
from apps.jobs.models import Job
from apps.protection.fields import SealedJSONField, SealedTextField
from apps.protection.models import SealedRecord
from apps.terminology.localisation import in_language


class PackageVersion(models.Model):
    """An installed, verified version of a model package."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=64)
    version = models.CharField(max_length=32)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the card, which holds those of the files.")
    card = models.JSONField()
    active = models.BooleanField(default=True, help_text="Whether new series are sent to it.")
    installed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "-installed_at"]
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="one_package_a_version")]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def title(self) -> str:
        """The package's title in the reader's language."""
        return in_language(self.card["title"])


class Analysis(SealedRecord, Job):
    """One run of one model version over one series."""

    holder_path = "series.study.patient_id"

    task_name: ClassVar[str] = "inference.analyse"

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="analyses")
    package = models.ForeignKey(PackageVersion, on_delete=models.PROTECT, related_name="analyses")
    input_digest = models.CharField(max_length=64)
    parameters = models.JSONField(default=dict)
    geometry = models.JSONField(default=dict, blank=True, help_text="How slices made a volume; empty for films.")

    class Meta:
        verbose_name_plural = _("analyses")
        ordering = ["-queued_at"]
        indexes = [models.Index(fields=["state", "urgency", "queued_at"], name="analysis_queue")]
        constraints = [
            models.UniqueConstraint(
                fields=["series", "input_digest", "package", "parameters"], name="one_analysis_an_input"
            )
        ]


class Finding(SealedRecord):
    """A model's output for one label on one image."""

    holder_path = "analysis.series.study.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    analysis = models.ForeignKey(Analysis, on_delete=models.CASCADE, related_name="findings")
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="+")
    frame = models.PositiveIntegerField(default=1)
    label = models.CharField(max_length=64)
    position = models.PositiveSmallIntegerField(help_text="The label's place on the card.")
    probability = models.FloatField()
    threshold = models.FloatField()
    positive = models.BooleanField()
    is_abnormal = models.BooleanField(help_text="Whether the label is something found, not its absence.")

    class Meta:
        ordering = ["position"]
        indexes = [models.Index(fields=["label", "positive"], name="finding_filter")]
        constraints = [
            models.UniqueConstraint(fields=["analysis", "instance", "frame", "label"], name="one_finding_a_label"),
            # PostgreSQL sorts NaN above every number.
            models.CheckConstraint(condition=models.Q(probability__range=(0, 1)), name="finding_probability_in_range"),
        ]

    @property
    def card_label(self) -> dict[str, Any]:
        """The label as the card describes it."""
        label: dict[str, Any] = self.analysis.package.card["labels"][self.position]
        return label

    @property
    def title(self) -> str:
        """The label in the reader's language."""
        return in_language(self.card_label["title"])

    @property
    def operating_point(self) -> str:
        """The threshold's operating point in the reader's language."""
        return in_language(self.analysis.package.card["thresholds"][self.label]["operating_point"])


class Verdict(models.TextChoices):
    """A physician's verdict on a finding."""

    AGREE = "agree", _("Agree")
    DISAGREE = "disagree", _("Disagree")
    CORRECT = "correct", _("Correct")


class Review(SealedRecord):
    """A physician's review of a finding. Append-only; a reviewer's newest review counts."""

    holder_path = "finding.analysis.series.study.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=10, choices=Verdict)
    correction = models.CharField(max_length=64, blank=True, help_text="The right label's code.")
    comment = SealedTextField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = _("reviews")
        ordering = ["-at"]

    @property
    def correction_title(self) -> str:
        """The corrected label in the reader's language."""
        labels = self.finding.analysis.package.card["labels"]
        titles = {label["code"]: label["title"] for label in labels}
        return in_language(titles[self.correction]) if self.correction in titles else str(_("Other finding"))


class WorkitemState(models.TextChoices):
    """Procedure Step State (0074,1000), PS3.4 section CC.1.1."""

    SCHEDULED = "SCHEDULED", _("Scheduled")
    IN_PROGRESS = "IN PROGRESS", _("In progress")
    COMPLETED = "COMPLETED", _("Completed")
    CANCELED = "CANCELED", _("Canceled")


class Workitem(SealedRecord):
    """A task on one series that was created over UPS-RS: for a model of this site, or for software outside it."""

    holder_path = "series.study.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    uid = models.CharField(max_length=64, unique=True, help_text="SOP Instance UID.")
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="workitems")
    analysis = models.ForeignKey(
        Analysis, null=True, on_delete=models.CASCADE, related_name="workitems", help_text="None: done outside."
    )
    state = models.CharField(max_length=11, choices=WorkitemState, default=WorkitemState.SCHEDULED)
    transaction_uid = models.CharField(max_length=64, blank=True, help_text="Known only to who performs it.")
    attributes = SealedJSONField(help_text="As created and updated, in the DICOM JSON model.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = _("workitems")
        ordering = ["-created_at", "-id"]

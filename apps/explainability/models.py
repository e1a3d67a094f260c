"""An explanation of a finding: a job like an analysis, and its figures."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.inference.models import Finding
from apps.jobs.models import Job
from apps.protection.models import SealedRecord


class Method(models.TextChoices):
    """How attributions are computed."""

    PARTITION = "partition", _("SHAP, Owen values over image regions (partition explainer)")


class Explanation(SealedRecord, Job):
    """SHAP attributions of one finding; the array lies in a sealed blob."""

    holder_path = "finding.analysis.series.study.patient_id"

    task_name: ClassVar[str] = "explainability.explain"

    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="explanations")
    method = models.CharField(max_length=20, choices=Method, default=Method.PARTITION)
    parameters = models.JSONField(default=dict)
    base_value = models.FloatField(null=True, help_text="The model's output with everything hidden.")
    output = models.FloatField(null=True, help_text="The model's output for the film.")
    attribution_sum = models.FloatField(null=True)
    evaluations = models.PositiveIntegerField(null=True, help_text="Forward passes of single planes.")

    class Meta:
        verbose_name_plural = _("explanations")
        ordering = ["queued_at"]
        indexes = [models.Index(fields=["state", "urgency", "queued_at"], name="explanation_queue")]
        constraints = [
            models.UniqueConstraint(fields=["finding", "method", "parameters"], name="one_explanation_a_method")
        ]

    @property
    def blob(self) -> str:
        """Name of the sealed array."""
        return f"explanations/{self.pk.hex[:2]}/{self.pk.hex}.npy"

    def sealed_blobs(self) -> list[str]:
        """The array, once it is there."""
        return [self.blob] if self.output is not None else []

    @property
    def gap(self) -> float | None:
        """Base value plus attributions, less the output: 0 if the accounting is exact."""
        if self.base_value is None or self.attribution_sum is None or self.output is None:
            return None
        return self.base_value + self.attribution_sum - self.output

    @property
    def adds_up(self) -> bool:
        """Whether the gap is below 1 % of the range of a probability."""
        return self.gap is not None and abs(self.gap) < 0.01

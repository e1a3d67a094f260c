"""Explanations of findings, occlusion queries, playground queries, embeddings and explainer comparisons."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.explainability.explainers.image.limits import MAX_GAP
from apps.imaging.models import Instance
from apps.inference.models import Analysis, Finding, PackageVersion
from apps.jobs.models import Job
from apps.protection.fields import SealedJSONField
from apps.protection.models import SealedRecord


class Method(models.TextChoices):
    """Attribution method."""

    SAMPLED = "sampled", _("SHAP, sampled (refines a learned estimate where available)")
    AMORTISED = "amortised", _("SHAP, learned estimate only (FastSHAP)")
    PARTITION = "partition", _("SHAP, Owen values over image regions (partition explainer)")
    GRADIENT = "gradient", _("SHAP, expected gradients")
    DEEP = "deep", _("SHAP, DeepSHAP")


class Stage(models.TextChoices):
    """Stage of an explanation, from the preview stored with the finding to the evaluated result."""

    NONE = "", _("No result yet")
    FIRST = "first", _("Preliminary estimate, not yet checked")
    REFINING = "refining", _("Being refined")
    CHECKED = "checked", _("Checked")


class Weakness(models.TextChoices):
    """Reasons not to trust an explanation."""

    GAP = "gap", _("the base value and attributions do not add up to the probability")
    RANDOM = "random", _("hiding the strongest regions changes the result no more than hiding random ones")
    UNSTABLE = "unstable", _("slight noise in the image changes the explanation")
    BLIND = "blind", _("it does not predict the model's results for images with parts hidden")
    CONSTANT = "constant", _("the model's result is the same whatever is hidden")


class Explanation(SealedRecord, Job):
    """SHAP attributions of one finding; the arrays are stored in a sealed blob."""

    holder_path = "finding.analysis.series.study.patient_id"

    task_name: ClassVar[str] = "explainability.explain"

    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="explanations")
    method = models.CharField(max_length=20, choices=Method, default=Method.SAMPLED)
    parameters = models.JSONField(default=dict)
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.NONE, blank=True)
    revision = models.PositiveIntegerField(default=0, help_text="Counts the arrays that were stored.")
    base_value = models.FloatField(null=True, help_text="The model's output with everything hidden.")
    output = models.FloatField(null=True, help_text="The model's output for the film.")
    attribution_sum = models.FloatField(null=True)
    log_odds = models.JSONField(default=dict, help_text="Base value, output and sum in log-odds.")
    evaluations = models.PositiveIntegerField(null=True, help_text="Forward passes of single planes.")
    stopped = models.CharField(max_length=10, blank=True, help_text="Why there was no more sampling.")
    zones = models.JSONField(default=list, help_text="Attribution by anatomical zone, strongest first.")
    peak = models.JSONField(default=list, help_text="Where the strongest region lies, shares of the plane's lengths.")
    quality = models.JSONField(default=dict, help_text="Measures of faithfulness.")

    class Meta:
        verbose_name_plural = _("explanations")
        ordering = ["queued_at"]
        indexes = [models.Index(fields=["state", "urgency", "queued_at"], name="explanation_queue")]
        constraints = [
            models.UniqueConstraint(fields=["finding", "method", "parameters"], name="one_explanation_a_method")
        ]

    @property
    def blob(self) -> str:
        """Name of the sealed arrays."""
        return f"explanations/{self.pk.hex[:2]}/{self.pk.hex}.npz"

    def sealed_blobs(self) -> list[str]:
        """The arrays, once stored."""
        return [self.blob] if self.drawn else []

    @property
    def drawn(self) -> bool:
        """Whether there is an image, even if preliminary."""
        return self.revision > 0

    @property
    def geometry(self) -> dict[str, Any]:
        """Spatial arrangement of the explained volume; empty for images."""
        geometry: dict[str, Any] = self.finding.analysis.geometry
        return geometry

    @property
    def gap(self) -> float | None:
        """Efficiency gap: base value plus attributions minus output."""
        if self.base_value is None or self.attribution_sum is None or self.output is None:
            return None
        return self.base_value + self.attribution_sum - self.output

    @property
    def adds_up(self) -> bool:
        """Whether the gap is below 1 % of the range of a probability."""
        return self.gap is not None and abs(self.gap) < MAX_GAP

    @property
    def weaknesses(self) -> list[Weakness]:
        """Reasons not to trust it; empty if there are none or it has not been checked yet."""
        if self.stage != Stage.CHECKED:
            return []
        return [Weakness(code) for code in self.quality.get("weaknesses", [])]


class OcclusionQuery(SealedRecord, Job):
    """A physician's occlusion query: the model's output with an area hidden."""

    holder_path = "finding.analysis.series.study.patient_id"

    task_name: ClassVar[str] = "explainability.probe"

    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="probes")
    asker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    cells = models.JSONField(help_text="Which cells of a square grid over the film are hidden, row by row.")
    edge = models.PositiveSmallIntegerField(help_text="Rows and columns of that grid.")
    depth = models.FloatField(null=True, help_text="In a volume: the painted slice's place from head to feet, 0..1.")
    probabilities = models.JSONField(default=dict, help_text="By label, without the area.")

    class Meta:
        verbose_name_plural = _("occlusion queries")
        ordering = ["queued_at"]
        indexes = [models.Index(fields=["state", "urgency", "queued_at"], name="probe_queue")]


class PlaygroundQuery(SealedRecord, Job):
    """A row or text submitted to a model in the playground; not part of a patient's record."""

    holder_path = ""

    task_name: ClassVar[str] = "explainability.try"

    package = models.ForeignKey(PackageVersion, on_delete=models.CASCADE, related_name="+")
    asker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    given = SealedJSONField()
    answer = SealedJSONField()

    class Meta:
        verbose_name_plural = _("playground runs")
        ordering = ["-queued_at"]
        indexes = [models.Index(fields=["state", "urgency", "queued_at"], name="trial_queue")]


class FilmEmbedding(SealedRecord):
    """Embedding of an image (sealed blob), used for similar-image search."""

    holder_path = "analysis.series.study.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    analysis = models.ForeignKey(Analysis, on_delete=models.CASCADE, related_name="+")
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["analysis", "instance"], name="one_embedding_a_film")]

    @property
    def blob(self) -> str:
        """Name of the sealed vector."""
        return f"embeddings/{self.pk.hex[:2]}/{self.pk.hex}.npy"

    def sealed_blobs(self) -> list[str]:
        """The vector."""
        return [self.blob]


class Comparison(models.Model):
    """Benchmark of a package's explainers over a set of images."""

    package = models.ForeignKey(PackageVersion, on_delete=models.CASCADE, related_name="comparisons")
    data = models.CharField(max_length=200)
    films = models.PositiveIntegerField()
    rows = models.JSONField(help_text="One an explainer, as comparison.py gives them.")
    how = models.TextField()
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-made_at"]

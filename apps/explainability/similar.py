"""Similar reviewed images by embedding: physicians' verdicts on them help to judge a finding."""

from __future__ import annotations

import io
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.accounts.actors import Actor
from apps.explainability.models import FilmEmbedding
from apps.inference.access import visible_findings
from apps.inference.models import Analysis, Finding, Verdict
from apps.inference.output_checks import require_finite
from apps.protection import blobs

MAX_CANDIDATES = 500
"""Newest reviewed images that are compared."""


@dataclass(frozen=True)
class SimilarFinding:
    """A reviewed finding of the same label on another image."""

    finding: Finding
    likeness: float
    confirmed: bool

    @property
    def percent(self) -> float:
        """Cosine similarity in percent."""
        return 100 * self.likeness


def store_embeddings(analysis: Analysis, embeddings: Mapping[uuid.UUID, Any]) -> None:
    """Store the embedding (features,) of each image, by instance id.

    Raises:
        UserError: ``model_output_invalid``.
    """
    require_finite(list(embeddings.values()))
    for instance, embedding in embeddings.items():
        row, _ = FilmEmbedding.objects.get_or_create(analysis=analysis, instance_id=instance)
        buffer = io.BytesIO()
        np.save(buffer, embedding.astype(np.float32), allow_pickle=False)
        blobs.write(row.blob, buffer.getvalue(), holder=row.key_holder)


def nearest(actor: Actor | None, finding: Finding, *, limit: int = 4) -> list[SimilarFinding]:
    """Reviewed findings of the same label on other patients' images visible to the actor, most similar first.

    The latest verdict decides whether the label is confirmed: agreement with a positive finding, or
    disagreement with a negative one.
    """
    embedding = FilmEmbedding.objects.filter(analysis=finding.analysis_id, instance=finding.instance_id).first()
    if embedding is None:
        return []
    patient = finding.analysis.series.study.patient_id
    reviewed = (
        visible_findings(actor)
        .filter(label=finding.label, analysis__package=finding.analysis.package_id)
        .filter(reviews__verdict__in=[Verdict.AGREE, Verdict.DISAGREE])
        .exclude(analysis__series__study__patient=patient)
        .select_related("analysis__series__study__patient", "instance")
        .prefetch_related("reviews")
        .distinct()
        .order_by("-analysis__queued_at")[:MAX_CANDIDATES]
    )
    others = list(reviewed)
    rows = FilmEmbedding.objects.filter(analysis__in={other.analysis_id for other in others})
    known = {(row.analysis_id, row.instance_id): row for row in rows.select_related("analysis__series__study")}
    own = _vector(embedding)
    similar = []
    for other in others:
        row = known.get((other.analysis_id, other.instance_id))
        if row is None:
            continue
        agreed = other.reviews.all()[0].verdict == Verdict.AGREE
        similar.append(SimilarFinding(other, float(own @ _vector(row)), confirmed=agreed == other.positive))
    return sorted(similar, key=lambda row: -row.likeness)[:limit]


def _vector(row: FilmEmbedding) -> Any:
    """The embedding as unit vector (features,)."""
    stored = np.load(io.BytesIO(blobs.read(row.blob, holder=row.key_holder)), allow_pickle=False)
    return stored / max(float(np.linalg.norm(stored)), 1e-9)

"""Confirmed cases whose films the model sees alike: what a doctor said of them helps to judge this one."""

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

LOOKED_AT = 500
"""The newest reviewed films that are compared."""


@dataclass(frozen=True)
class Alike:
    """A reviewed finding of the same label on another film."""

    finding: Finding
    likeness: float
    confirmed: bool

    @property
    def percent(self) -> float:
        """Cosine likeness in percent."""
        return 100 * self.likeness


def remember(analysis: Analysis, embeddings: Mapping[uuid.UUID, Any]) -> None:
    """Keep what the network makes of each film, (features,), by the instance's id."""
    require_finite(list(embeddings.values()))
    for instance, embedding in embeddings.items():
        row, _ = FilmEmbedding.objects.get_or_create(analysis=analysis, instance_id=instance)
        buffer = io.BytesIO()
        np.save(buffer, embedding.astype(np.float32), allow_pickle=False)
        blobs.write(row.blob, buffer.getvalue(), holder=row.key_holder)


def nearest(actor: Actor | None, finding: Finding, *, limit: int = 4) -> list[Alike]:
    """Reviewed findings of the same label on other patients' films that the actor sees, most alike first.

    A film's latest verdict says whether the label was there: agreement with a positive finding, or
    disagreement with a negative one.
    """
    mine = FilmEmbedding.objects.filter(analysis=finding.analysis_id, instance=finding.instance_id).first()
    if mine is None:
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
        .order_by("-analysis__queued_at")[:LOOKED_AT]
    )
    others = list(reviewed)
    rows = FilmEmbedding.objects.filter(analysis__in={other.analysis_id for other in others})
    known = {(row.analysis_id, row.instance_id): row for row in rows.select_related("analysis__series__study")}
    own = _vector(mine)
    found = []
    for other in others:
        row = known.get((other.analysis_id, other.instance_id))
        if row is None:
            continue
        agreed = other.reviews.all()[0].verdict == Verdict.AGREE
        found.append(Alike(other, float(own @ _vector(row)), confirmed=agreed == other.positive))
    return sorted(found, key=lambda one: -one.likeness)[:limit]


def _vector(row: FilmEmbedding) -> Any:
    """(features,) of length 1."""
    stored = np.load(io.BytesIO(blobs.read(row.blob, holder=row.key_holder)), allow_pickle=False)
    return stored / max(float(np.linalg.norm(stored)), 1e-9)

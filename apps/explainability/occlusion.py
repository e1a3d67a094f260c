"""Occlusion queries: the model's output when a painted area is replaced by healthy lung."""

from __future__ import annotations

from typing import Any

import numpy as np

from apps.accounts import audit
from apps.accounts.models import User
from apps.explainability.models import OcclusionQuery
from apps.imaging.dicom.volumes import turned
from apps.inference.access import visible_findings
from apps.inference.models import Finding
from apps.inference.output_checks import checked_probabilities
from apps.jobs.enqueue import enqueue_job
from apps.jobs.models import Urgency

EDGE = 48
"""Rows and columns of the grid on which areas are painted."""
SLABS = 12
"""Number of slabs of a volume from head to feet; an area is painted in one of them."""


def request_occlusion(finding: Finding, *, cells: list[int], actor: User, depth: float | None = None) -> OcclusionQuery:
    """Queue an occlusion query.

    Args:
        cells: indices of painted cells of an EDGE × EDGE grid, row by row from 0.
        depth: for volumes, position of the painted slice from head (0) to feet (1); its slab is hidden.

    Raises:
        PermissionError: if the actor does not see the finding's study.
        ValueError: for no cell, a cell outside the grid, or a volume without a depth.
    """
    if not visible_findings(actor).filter(pk=finding.pk).exists():
        raise PermissionError("only who sees the study asks the model about it")
    painted = sorted(set(cells))
    if not painted or painted[0] < 0 or painted[-1] >= EDGE * EDGE:
        raise ValueError("paint an area on the film first")
    if finding.analysis.geometry and (depth is None or not 0 <= depth <= 1):  # also rejects NaN
        raise ValueError("say in which slice the area lies")
    query = OcclusionQuery.objects.create(
        finding=finding,
        asker=actor,
        cells=painted,
        edge=EDGE,
        depth=depth if finding.analysis.geometry else None,
        urgency=Urgency.INTERACTIVE,
    )
    audit.record(actor, "finding.probed", finding, why="treatment", cells=len(painted))
    enqueue_job(query)
    return query


def grid(query: OcclusionQuery) -> tuple[int, ...]:
    """Number of regions along each axis."""
    return (query.edge, query.edge) if query.depth is None else (SLABS, query.edge, query.edge)


def coalition(query: OcclusionQuery) -> Any:
    """The coalition (1, regions), 0 where the area is hidden."""
    seen = np.ones((1 if query.depth is None else SLABS, query.edge * query.edge))
    slab = 0 if query.depth is None else min(int(query.depth * SLABS), SLABS - 1)
    seen[slab, query.cells] = 0
    flipped = query.finding.analysis.geometry.get("flipped", (False, False))
    return turned(seen.reshape(-1, query.edge, query.edge), flipped).reshape(1, -1)


def store_answer(query: OcclusionQuery, probabilities: Any) -> None:
    """Store the probabilities (labels,) with the area hidden."""
    labels = [label["code"] for label in query.finding.analysis.package.card["labels"]]
    values = checked_probabilities(probabilities)
    answer = {code: round(value, 6) for code, value in zip(labels, values, strict=True)}
    OcclusionQuery.objects.filter(pk=query.pk).update(probabilities=answer)

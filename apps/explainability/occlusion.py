"""The doctor's own brush: what the model says when a painted area is replaced by healthy lung."""

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
"""The brush paints on a grid of this many rows and columns over the film."""
SLABS = 12
"""Into so many slabs a volume is cut from head to feet; one of them is painted."""


def ask(finding: Finding, *, cells: list[int], actor: User, depth: float | None = None) -> OcclusionQuery:
    """Ask the model without these cells.

    Args:
        cells: numbers of painted cells, row by row from 0, of a grid of EDGE × EDGE.
        depth: of a volume, where from head (0) to feet (1) the painted slice lies; a slab about it is hidden.

    Raises:
        PermissionError: if the actor does not see the finding's study.
        ValueError: for no cell, or one outside the grid; for a volume without a slice.
    """
    if not visible_findings(actor).filter(pk=finding.pk).exists():
        raise PermissionError("only who sees the study asks the model about it")
    painted = sorted(set(cells))
    if not painted or painted[0] < 0 or painted[-1] >= EDGE * EDGE:
        raise ValueError("paint an area on the film first")
    if finding.analysis.geometry and (depth is None or not 0 <= depth <= 1):  # nor is NaN a place
        raise ValueError("say in which slice the area lies")
    probe = OcclusionQuery.objects.create(
        finding=finding,
        asker=actor,
        cells=painted,
        edge=EDGE,
        depth=depth if finding.analysis.geometry else None,
        urgency=Urgency.INTERACTIVE,
    )
    audit.record(actor, "finding.probed", finding, why="treatment", cells=len(painted))
    enqueue_job(probe)
    return probe


def grid(probe: OcclusionQuery) -> tuple[int, ...]:
    """Regions along each axis of what is asked about."""
    return (probe.edge, probe.edge) if probe.depth is None else (SLABS, probe.edge, probe.edge)


def coalition(probe: OcclusionQuery) -> Any:
    """(1, regions) with 0 where the area is hidden."""
    seen = np.ones((1 if probe.depth is None else SLABS, probe.edge * probe.edge))
    slab = 0 if probe.depth is None else min(int(probe.depth * SLABS), SLABS - 1)
    seen[slab, probe.cells] = 0
    flipped = probe.finding.analysis.geometry.get("flipped", (False, False))
    return turned(seen.reshape(-1, probe.edge, probe.edge), flipped).reshape(1, -1)


def store_answer(probe: OcclusionQuery, probabilities: Any) -> None:
    """Store what the model says without the area, (labels,)."""
    labels = [label["code"] for label in probe.finding.analysis.package.card["labels"]]
    values = checked_probabilities(probabilities)
    answer = {code: round(value, 6) for code, value in zip(labels, values, strict=True)}
    OcclusionQuery.objects.filter(pk=probe.pk).update(probabilities=answer)

"""Attributions averaged over a cohort, to detect shortcut learning outside the lungs and mediastinum."""

from __future__ import annotations

import base64
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.accounts.actors import Actor
from apps.explainability.access import visible_to
from apps.explainability.drawing.overlay import Style, overlay_png
from apps.explainability.drawing.volume import projected
from apps.explainability.labels import ZONE_WORDS
from apps.explainability.models import Explanation, Method
from apps.explainability.queries import region_values
from apps.inference.models import PackageVersion, Verdict
from apps.jobs.models import State
from apps.terminology.localisation import in_language

MAX_EXPLANATIONS = 300
"""Newest explanations that are averaged."""
SHORTCUT = 0.25
"""Share of evidence outside lungs and mediastinum (markers, corners, bones) above which the page warns."""
INSIDE = ("right_upper", "right_middle", "right_lower", "left_upper", "left_middle", "left_lower", "mediastinum")
UNREVIEWED = "unreviewed"


@dataclass(frozen=True)
class Attention:
    """Mean attribution of one label's explanations with one review outcome.

    Attributes:
        outcome: agree, disagree, correct or unreviewed.
        picture: the mean map as data URI, in the explainer's own regions.
        outside: share of the positive evidence outside lungs and mediastinum, 0..1.
        zones: name and mean attribution in percentage points, strongest first.
    """

    title: str
    outcome: str
    films: int
    picture: str
    outside: float
    zones: list[tuple[str, float]]

    @property
    def outside_percent(self) -> float:
        """The share outside, in percent."""
        return 100 * self.outside

    @property
    def suspicious(self) -> bool:
        """Whether the model may have learned a shortcut."""
        return self.outside > SHORTCUT

    @property
    def outcome_words(self) -> str:
        """The physicians' verdict on these findings."""
        return str(Verdict(self.outcome).label) if self.outcome != UNREVIEWED else ""


def attention(actor: Actor | None, package: PackageVersion) -> list[Attention]:
    """Average the newest explanations visible to the actor, by label and latest verdict."""
    rows = (
        visible_to(actor)
        .filter(
            finding__analysis__package=package, finding__is_abnormal=True, method=Method.SAMPLED, state=State.SUCCEEDED
        )
        .select_related("finding__analysis__series__study", "finding__analysis__package")
        .prefetch_related("finding__reviews")
        .order_by("-finished_at")[:MAX_EXPLANATIONS]
    )
    groups: dict[tuple[int, str], list[Explanation]] = defaultdict(list)
    for row in rows:
        reviews = row.finding.reviews.all()
        groups[(row.finding.position, reviews[0].verdict if reviews else UNREVIEWED)].append(row)
    return [
        _average(package, position, outcome, explanations)
        for (position, outcome), explanations in sorted(groups.items())
    ]


def _average(package: PackageVersion, position: int, outcome: str, explanations: list[Explanation]) -> Attention:
    maps = [region_values(row) for row in explanations]
    # Volumes are shown as coronal projection.
    mean = np.mean([values if values.ndim == 2 else projected(values, "coronal") for values in maps], axis=0)
    png = overlay_png(mean.astype(np.float32), Style(threshold=0.02, edge=256))
    sums: dict[str, Any] = defaultdict(float)
    for row in explanations:
        for zone in row.zones:
            sums[zone["zone"]] += zone["value"] / len(explanations)
    positive = {zone: max(value, 0.0) for zone, value in sums.items()}
    outside = sum(value for zone, value in positive.items() if zone not in INSIDE) / max(sum(positive.values()), 1e-9)
    strongest = sorted(sums.items(), key=lambda item: -abs(item[1]))[:5]
    return Attention(
        title=in_language(package.card["labels"][position]["title"]),
        outcome=outcome,
        films=len(explanations),
        picture="data:image/png;base64," + base64.b64encode(png).decode(),
        outside=outside,
        zones=[(str(ZONE_WORDS[zone]), 100 * value) for zone, value in strongest],
    )

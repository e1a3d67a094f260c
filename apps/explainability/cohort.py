"""What a model looks at across many films: average maps, and how much of the evidence lies where nothing can be."""

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

LOOKED_AT = 300
"""The newest explanations that are averaged."""
SHORTCUT = 0.25
"""A larger share of the evidence outside lungs and mediastinum is warned of: markers, corners, bones."""
INSIDE = ("right_upper", "right_middle", "right_lower", "left_upper", "left_middle", "left_lower", "mediastinum")
UNREVIEWED = "unreviewed"


@dataclass(frozen=True)
class Attention:
    """The average of one label's explanations with one outcome.

    Attributes:
        outcome: agree, disagree, correct or unreviewed.
        picture: the average map as a data URI, in the explainer's own regions.
        outside: share of the positive evidence that lies outside lungs and mediastinum, 0..1.
        zones: words and mean attribution, the strongest first.
    """

    title: str
    outcome: str
    films: int
    picture: str
    outside: float
    zones: list[tuple[str, float]]

    @property
    def outside_percent(self) -> float:
        """In percent."""
        return 100 * self.outside

    @property
    def suspicious(self) -> bool:
        """Whether the model may have found a short cut."""
        return self.outside > SHORTCUT

    @property
    def outcome_words(self) -> str:
        """What doctors said of these findings."""
        return str(Verdict(self.outcome).label) if self.outcome != UNREVIEWED else ""


def attention(actor: Actor | None, package: PackageVersion) -> list[Attention]:
    """The newest explanations that the actor sees, averaged by label and by the latest verdict."""
    rows = (
        visible_to(actor)
        .filter(
            finding__analysis__package=package, finding__is_abnormal=True, method=Method.SAMPLED, state=State.SUCCEEDED
        )
        .select_related("finding__analysis__series__study", "finding__analysis__package")
        .prefetch_related("finding__reviews")
        .order_by("-finished_at")[:LOOKED_AT]
    )
    groups: dict[tuple[int, str], list[Explanation]] = defaultdict(list)
    for row in rows:
        reviews = row.finding.reviews.all()
        groups[(row.finding.position, reviews[0].verdict if reviews else UNREVIEWED)].append(row)
    return [_average(package, place, outcome, found) for (place, outcome), found in sorted(groups.items())]


def _average(package: PackageVersion, place: int, outcome: str, found: list[Explanation]) -> Attention:
    maps = [region_values(row) for row in found]
    # Volumes are looked at from the front.
    mean = np.mean([one if one.ndim == 2 else projected(one, "coronal") for one in maps], axis=0)
    png = overlay_png(mean.astype(np.float32), Style(threshold=0.02, edge=256))
    sums: dict[str, Any] = defaultdict(float)
    for row in found:
        for zone in row.zones:
            sums[zone["zone"]] += zone["value"] / len(found)
    positive = {zone: max(value, 0.0) for zone, value in sums.items()}
    outside = sum(value for zone, value in positive.items() if zone not in INSIDE) / max(sum(positive.values()), 1e-9)
    strongest = sorted(sums.items(), key=lambda item: -abs(item[1]))[:5]
    return Attention(
        title=in_language(package.card["labels"][place]["title"]),
        outcome=outcome,
        films=len(found),
        picture="data:image/png;base64," + base64.b64encode(png).decode(),
        outside=outside,
        zones=[(str(ZONE_WORDS[zone]), 100 * value) for zone, value in strongest],
    )

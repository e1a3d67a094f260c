"""Queries of explanations with more than one caller."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.accounts.actors import Actor
from apps.explainability.access import visible_to
from apps.explainability.drawing import charts, volume
from apps.explainability.drawing.overlay import Style, overlay_png
from apps.explainability.explainers.image.limits import certain
from apps.explainability.labels import EXPLAINER_WORDS, ZONE_WORDS
from apps.explainability.models import Comparison, Explanation, Method
from apps.imaging.dicom.volumes import turned
from apps.inference.models import Finding, PackageVersion
from apps.protection import blobs
from apps.terminology.localisation import in_language

SPACES = ("probability", "log_odds")
MAX_SLICE_GROUPS = 12
"""Maximum number of rows in the table from head to feet."""


@dataclass(frozen=True)
class Arrays:
    """Stored arrays of an explanation.

    Attributes:
        values: (spaces, *grid), one value per region or pixel of the model's input.
        half_width: of their 95 % intervals, or None.
        plane: the model's input, for volumes.
    """

    values: npt.NDArray[np.float32]
    half_width: npt.NDArray[np.float32] | None
    plane: npt.NDArray[np.uint8] | None = None


def arrays(explanation: Explanation) -> Arrays:
    """Read the stored arrays."""
    stored = io.BytesIO(blobs.read(explanation.blob, holder=explanation.key_holder))
    with np.load(stored, allow_pickle=False) as archive:
        return Arrays(archive["values"], archive.get("half_width"), archive.get("plane"))


def region_values(explanation: Explanation, space: str = "probability") -> npt.NDArray[np.float32]:
    """Attributions of one space, one per region or pixel; they sum to output minus base."""
    values: npt.NDArray[np.float32] = arrays(explanation).values[SPACES.index(space)]
    return values


def certain_values(explanation: Explanation, space: str = "probability") -> npt.NDArray[np.float32]:
    """Attributions as displayed: uncertain ones are 0."""
    stored, space_index = arrays(explanation), SPACES.index(space)
    return certain(stored.values[space_index], None if stored.half_width is None else stored.half_width[space_index])


def shown_values(explanation: Explanation, space: str = "probability") -> npt.NDArray[np.float32]:
    """Attributions (rows, columns) for a single image: for volumes, of the strongest slice."""
    if not explanation.geometry:
        return region_values(explanation, space)
    layer = volume.layer(certain_values(explanation, space), explanation.peak[0])
    return turned(layer, explanation.geometry["flipped"])


def slice_values(explanation: Explanation, number: int) -> npt.NDArray[np.float32]:
    """Attributions (number, rows, columns) of a volume's slices from head to feet, in the images' orientation."""
    values = certain_values(explanation)
    return turned(values[volume.region_of(number, len(values))], explanation.geometry["flipped"])


def overlay(explanation: Explanation, style: Style, space: str = "probability", view: str = "film") -> bytes:
    """Overlay PNG for the image or strongest slice, for a projection, or for all slices in one file."""
    if view == "slices":
        return volume.sheet_png(turned(certain_values(explanation, space), explanation.geometry["flipped"]), style)
    if view in volume.PROJECTIONS:
        flat = volume.projected(certain_values(explanation, space), view)
        return overlay_png(np.asarray(flat, dtype=np.float32), style)
    return overlay_png(shown_values(explanation, space), style)


def views(explanation: Explanation) -> tuple[str, ...]:
    """The available views."""
    return ("film", "slices", *volume.PROJECTIONS) if explanation.geometry else ("film",)


def strongest_slice(explanation: Explanation) -> str:
    """SOP Instance UID of the slice with the most evidence; for images, their own."""
    if not explanation.geometry or not explanation.peak:
        return str(explanation.finding.instance.sop_instance_uid)
    slices = explanation.geometry["slices"]
    return str(slices[min(int(explanation.peak[0] * len(slices)), len(slices) - 1)])


def by_finding(actor: Actor | None, findings: Iterable[Finding]) -> dict[object, list[Explanation]]:
    """Explanations of the findings visible to the actor, by finding id; the default method's last."""
    grouped: dict[object, list[Explanation]] = {}
    rows = visible_to(actor).filter(finding__in=list(findings))
    rows = rows.select_related("finding__analysis__package", "finding__instance")
    for explanation in sorted(rows, key=lambda row: row.method == Method.SAMPLED):
        grouped.setdefault(explanation.finding_id, []).append(explanation)
    return grouped


def zones(explanation: Explanation) -> list[dict[str, Any]]:
    """Attribution by anatomical zone, strongest first, with labels and shares for a chart.

    Each: ``zone``, ``words``, ``value`` (probability), ``points`` (percentage points), ``percent`` of the strongest.
    """
    strongest = max((abs(row["value"]) for row in explanation.zones), default=0.0)
    return [
        {
            **row,
            "words": ZONE_WORDS[row["zone"]],
            "points": 100 * row["value"],
            "percent": 100 * abs(row["value"]) / strongest,
        }
        for row in explanation.zones
        if strongest and abs(row["value"]) >= 0.005
    ]


def slice_groups(explanation: Explanation) -> list[dict[str, Any]]:
    """Attribution by groups of slices of a volume, from head to feet; empty for images.

    Each: ``first`` and ``last`` slice from 1, ``value`` (percentage points of probability), ``percent`` of the
    strongest.
    """
    if not explanation.geometry or not explanation.drawn:
        return []
    sums = volume.profile(region_values(explanation))
    number = len(explanation.geometry["slices"])
    edges = np.round(np.linspace(0, number, min(len(sums), MAX_SLICE_GROUPS) + 1)).astype(int)
    parts = [float(part.sum()) for part in np.array_split(sums, len(edges) - 1)]
    strongest = max(abs(part) for part in parts) or 1.0
    return [
        {
            "first": int(first) + 1,
            "last": int(last),
            "value": 100 * part,
            "percent": round(100 * abs(part) / strongest, 2),
            "css": "chart-for" if part > 0 else "chart-against",
        }
        for first, last, part in zip(edges[:-1], edges[1:], parts, strict=True)
    ]


def comparisons(package: PackageVersion) -> list[Comparison]:
    """Benchmarks of the package's explainers: this site's, newest first, then those on the card."""
    on_card = package.card.get("explainer", {}).get("comparisons", [])
    return [*package.comparisons.all(), *(Comparison(package=package, **fields) for fields in on_card)]


def comparison_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """The rows of a comparison, best first, with labels and bar lengths."""
    best = max((row["advantage"] for row in comparison.rows), default=1.0)
    names = dict(Method.choices) | EXPLAINER_WORDS
    return [
        {
            "pointing": None,
            "gap": None,
            "sanity": None,
            **row,
            "words": names.get(row["explainer"], row["explainer"]),
            "percent": max(0.0, 100 * row["advantage"] / max(best, 1e-9)),
        }
        for row in sorted(comparison.rows, key=lambda row: -row["advantage"])
    ]


def text_answer(package: PackageVersion, answer: dict[str, Any], chosen: str) -> dict[str, Any]:
    """Template context of a text's explanation; ``chosen`` is the explained label."""
    titles = {label["code"]: in_language(label["title"]) for label in package.card["labels"]}
    likeliest = max(answer["outputs"], key=lambda code: answer["outputs"][code])
    chosen = chosen if chosen in titles else likeliest
    values = answer["values"][chosen]
    strongest = max((abs(value) for value in values), default=0.0) or 1.0
    units = [
        {**unit, "value": 100 * value, "css": charts.highlight(value, strongest)}
        for unit, value in zip(answer["units"], values, strict=True)
    ]
    return {
        "answer": answer,
        "outputs": sorted(
            ((titles[code], 100 * value, code, code == chosen) for code, value in answer["outputs"].items()),
            key=lambda row: -row[1],
        ),
        "explained": titles[chosen],
        "units": units,
        "table": sorted((unit for unit in units if unit["css"]), key=lambda unit: -abs(unit["value"]))[:15],
        "sentences": [(row["text"], 100 * row["values"][chosen]) for row in answer["sentences"]],
        "base_percent": 100 * answer["bases"][chosen],
        "output_percent": 100 * answer["outputs"][chosen],
        "gap": answer["gaps"][chosen],
    }

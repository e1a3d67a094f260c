"""Reads of explanations that more than one caller needs."""

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
SLABS_SHOWN = 12
"""At most so many rows of a table from head to feet."""


@dataclass(frozen=True)
class Arrays:
    """What is stored of an explanation.

    Attributes:
        values: (spaces, *grid): a number a region or a pixel of the model's plane or box.
        half_width: of their 95 % intervals, or None.
        plane: the box that the model read, for volumes.
    """

    values: npt.NDArray[np.float32]
    half_width: npt.NDArray[np.float32] | None
    plane: npt.NDArray[np.uint8] | None = None


def arrays(explanation: Explanation) -> Arrays:
    """The stored arrays."""
    stored = io.BytesIO(blobs.read(explanation.blob, holder=explanation.key_holder))
    with np.load(stored, allow_pickle=False) as found:
        return Arrays(found["values"], found.get("half_width"), found.get("plane"))


def region_values(explanation: Explanation, space: str = "probability") -> npt.NDArray[np.float32]:
    """The grid in units of the space: a number a region or a pixel; they sum up to output less base."""
    values: npt.NDArray[np.float32] = arrays(explanation).values[SPACES.index(space)]
    return values


def certain_values(explanation: Explanation, space: str = "probability") -> npt.NDArray[np.float32]:
    """What is drawn of a volume."""
    found, number = arrays(explanation), SPACES.index(space)
    return certain(found.values[number], None if found.half_width is None else found.half_width[number])


def shown_values(explanation: Explanation, space: str = "probability") -> npt.NDArray[np.float32]:
    """(rows, columns) of what is shown where there is room for one picture: of a volume, its strongest slice."""
    if not explanation.geometry:
        return region_values(explanation, space)
    layer = volume.layer(certain_values(explanation, space), explanation.peak[0])
    return turned(layer, explanation.geometry["flipped"])


def slice_values(explanation: Explanation, number: int) -> npt.NDArray[np.float32]:
    """(number, rows, columns) of a volume's regions, for as many slices from head to feet, each as its image lies."""
    values = certain_values(explanation)
    return turned(values[volume.region_of(number, len(values))], explanation.geometry["flipped"])


def overlay(explanation: Explanation, style: Style, space: str = "probability", view: str = "film") -> bytes:
    """The picture to lay over the film or the strongest slice, over a projection, or over all slices one by one."""
    if view == "slices":
        return volume.sheet_png(turned(certain_values(explanation, space), explanation.geometry["flipped"]), style)
    if view in volume.PROJECTIONS:
        flat = volume.projected(certain_values(explanation, space), view)
        return overlay_png(np.asarray(flat, dtype=np.float32), style)
    return overlay_png(shown_values(explanation, space), style)


def views(explanation: Explanation) -> tuple[str, ...]:
    """Which pictures there are of it."""
    return ("film", "slices", *volume.PROJECTIONS) if explanation.geometry else ("film",)


def strongest_slice(explanation: Explanation) -> str:
    """SOP Instance UID of the slice with the most evidence; of a film, its own."""
    if not explanation.geometry or not explanation.peak:
        return str(explanation.finding.instance.sop_instance_uid)
    slices = explanation.geometry["slices"]
    return str(slices[min(int(explanation.peak[0] * len(slices)), len(slices) - 1)])


def by_finding(actor: Actor | None, findings: Iterable[Finding]) -> dict[object, list[Explanation]]:
    """Explanations of these findings that the actor sees, by the finding's id; the default method's last."""
    found: dict[object, list[Explanation]] = {}
    rows = visible_to(actor).filter(finding__in=list(findings))
    rows = rows.select_related("finding__analysis__package", "finding__instance")
    for explanation in sorted(rows, key=lambda row: row.method == Method.SAMPLED):
        found.setdefault(explanation.finding_id, []).append(explanation)
    return found


def places(explanation: Explanation) -> list[dict[str, Any]]:
    """What falls to which part of the chest, strongest first, with words and shares for a chart.

    Each: ``zone``, ``words``, ``value`` (probability), ``percent`` of the strongest.
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


def slabs(explanation: Explanation) -> list[dict[str, Any]]:
    """What falls to which slices of a volume, from head to feet; empty for a film.

    Each: ``first`` and ``last`` slice from 1, ``value`` (percentage points of probability), ``percent`` of the
    strongest.
    """
    if not explanation.geometry or not explanation.drawn:
        return []
    sums = volume.profile(region_values(explanation))
    number = len(explanation.geometry["slices"])
    edges = np.round(np.linspace(0, number, min(len(sums), SLABS_SHOWN) + 1)).astype(int)
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
    """Measured comparisons of the package's explainers: this site's, newest first, then its maker's."""
    made = [Comparison(package=package, **found) for found in package.card.get("explainer", {}).get("comparisons", [])]
    return [*package.comparisons.all(), *made]


def comparison_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """The rows of a comparison, best first, with words and the length of a bar."""
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
    """Highlights of a text; ``chosen`` is the label that is explained."""
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

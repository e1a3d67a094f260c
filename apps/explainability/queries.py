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
from apps.explainability.drawing import charts
from apps.explainability.drawing.overlay import Style, enlarged, overlay_png, scale_end
from apps.explainability.models import Comparison, Explanation, Method
from apps.explainability.words import EXPLAINER_WORDS, ZONE_WORDS
from apps.inference.models import Finding, PackageVersion, in_language
from apps.protection import blobs

SPACES = ("probability", "log_odds")


@dataclass(frozen=True)
class Arrays:
    """What is stored of an explanation.

    Attributes:
        values: (spaces, rows, columns): a number a region or a pixel of the model's plane.
        half_width: of their 95 % intervals, or None.
    """

    values: npt.NDArray[np.float32]
    half_width: npt.NDArray[np.float32] | None


@dataclass(frozen=True)
class Drawn:
    """A finished explanation's picture and the ends of its colour scale."""

    png: bytes
    scale_end: float


def arrays(explanation: Explanation) -> Arrays:
    """The stored arrays."""
    stored = io.BytesIO(blobs.read(explanation.blob, holder=explanation.key_holder))
    with np.load(stored, allow_pickle=False) as found:
        return Arrays(found["values"], found.get("half_width"))


def region_values(explanation: Explanation, space: str = "probability") -> npt.NDArray[np.float32]:
    """(rows, columns) in units of the space: a number a region or a pixel; they sum up to output less base."""
    values: npt.NDArray[np.float32] = arrays(explanation).values[SPACES.index(space)]
    return values


def overlay(explanation: Explanation, style: Style, space: str = "probability") -> Drawn:
    """The picture to lay over the film."""
    array = region_values(explanation, space)
    return Drawn(overlay_png(array, style), scale_end(enlarged(array, 128)))


def by_finding(actor: Actor | None, findings: Iterable[Finding]) -> dict[object, list[Explanation]]:
    """Explanations of these findings that the actor sees, by the finding's id; the default method's last."""
    found: dict[object, list[Explanation]] = {}
    rows = visible_to(actor).filter(finding__in=list(findings))
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

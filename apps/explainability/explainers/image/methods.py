"""What can be said of a package's explanations beforehand; also the web process asks, so nothing large is imported."""

from __future__ import annotations

from typing import Any

from apps.inference.packages.card import VOLUMES

GRID = 12
"""Regions along each edge of a film where the card says nothing."""
VOLUME_GRID = (6, 8, 8)
"""The same for volumes: along slices, rows and columns."""


def methods_for(task: str) -> tuple[str, ...]:
    """Which explainers serve a package of this task.

    The ``shap`` library's partition explainer asks in twice as many contexts with each cut, too many for a nodule in a
    volume, and its DeepSHAP knows no layer that takes the strongest place: neither explains volumes.
    """
    if task == VOLUMES:
        return ("sampled", "gradient")
    return ("sampled", "amortised", "partition", "gradient", "deep")


def grid_of(card: dict[str, Any]) -> tuple[int, ...]:
    """Into how many regions a film or volume is cut along each axis."""
    given = card.get("explainer", {}).get("grid", VOLUME_GRID if card["task"] == VOLUMES else GRID)
    return (given, given) if isinstance(given, int) else tuple(given)

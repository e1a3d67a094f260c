"""Methods and grid of a package's explanations. No large imports: the web process uses this module."""

from __future__ import annotations

from typing import Any

from apps.inference.packages.card import VOLUMES

GRID = 12
"""Default number of regions along each edge of an image."""
VOLUME_GRID = (6, 8, 8)
"""Default number of regions of a volume along slices, rows and columns."""


def methods_for(task: str) -> tuple[str, ...]:
    """Explanation methods for a package of this task.

    The ``shap`` library's partition explainer doubles its contexts with each split, too many for a nodule in a volume,
    and its DeepSHAP has no rule for max pooling over positions: neither supports volumes.
    """
    if task == VOLUMES:
        return ("sampled", "gradient")
    return ("sampled", "amortised", "partition", "gradient", "deep")


def grid_of(card: dict[str, Any]) -> tuple[int, ...]:
    """Number of regions of an image or volume along each axis."""
    grid = card.get("explainer", {}).get("grid", VOLUME_GRID if card["task"] == VOLUMES else GRID)
    return (grid, grid) if isinstance(grid, int) else tuple(grid)

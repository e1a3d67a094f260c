"""Small games whose Shapley values are known."""

from __future__ import annotations

import numpy as np
import torch

from apps.explainability.explainers.image.coalition_game import Game, Regions

SHAPE = (48, 48)
REGIONS = Regions((6, 6), SHAPE)


def sigmoid_of(weights: np.ndarray, bias: float = 0.0):  # type: ignore[no-untyped-def]
    """Two outputs: the log-odds of the first are a weighted sum of pixels, so additive over regions."""
    kernel = torch.from_numpy(weights).double()

    def model(planes: torch.Tensor) -> torch.Tensor:
        total = (planes.double() / 255 * kernel).sum(dim=tuple(range(1, planes.ndim))) + bias
        first = torch.sigmoid(total)
        return torch.stack([first, 1 - first], dim=1)

    return model


def spot(rows: slice, columns: slice, weight: float = 0.02) -> np.ndarray:
    """Weights of one area."""
    weights = np.zeros(SHAPE)
    weights[rows, columns] = weight
    return weights


def film(seed: int = 0) -> np.ndarray:
    """Noise."""
    return np.random.default_rng(seed).integers(0, 255, SHAPE).astype(np.uint8)


def game(model, plane: np.ndarray | None = None, **options) -> Game:  # type: ignore[no-untyped-def]
    """Over a black baseline."""
    plane = film() if plane is None else plane
    return Game(model, plane, np.zeros_like(plane), options.pop("regions", REGIONS), **options)

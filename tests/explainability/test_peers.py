"""Our measures against those of Quantus (Hedström et al., JMLR 2023), on the same network and film.

Its own fills (black, mean, noise) are what ``cxr-pneumonia`` takes for pneumonia, so the portal measures with its own
code; with our fill given to both, they must say the same.
"""

from __future__ import annotations

import numpy as np
import pytest
import quantus
import torch
from torch import nn

from apps.explainability.explainers.image import faithfulness
from apps.explainability.explainers.image.coalition_game import Game, Regions

EDGE = 48


class Small(nn.Module):
    """A convolutional network of two outputs with weights of seed 3; probabilities."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.body = nn.Sequential(
            nn.Conv2d(1, 6, 5, stride=2), nn.ReLU(), nn.Conv2d(6, 8, 3, stride=2), nn.ReLU(),
            nn.Flatten(), nn.Linear(800, 2),
        )  # fmt: skip

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        return torch.softmax(4 * self.body(planes.float() / 255), dim=1)


@pytest.mark.parametrize("output", [0, 1])
def test_deletion_is_pixel_flipping_with_our_fill(output: int) -> None:
    rng = np.random.default_rng(output)
    plane, fill = (rng.integers(0, 255, (EDGE, EDGE)).astype(np.float32) for _ in range(2))
    network = Small().eval()
    pixels = Regions((EDGE, EDGE), (EDGE, EDGE))  # each its own region, so borders are as hard as Quantus makes them
    game = Game(lambda planes: network(planes.unsqueeze(1)), plane, fill, pixels)
    values = rng.normal(size=EDGE * EDGE)

    def replaced(arr: np.ndarray, indices: np.ndarray, **options: object) -> np.ndarray:
        changed = arr.copy()
        np.put_along_axis(changed, indices, np.take_along_axis(fill.reshape(1, -1), indices, axis=1), axis=1)
        return changed

    flipping = quantus.PixelFlipping(
        features_in_step=EDGE * EDGE // faithfulness.STEPS,
        normalise=False,
        perturb_func=replaced,
        disable_warnings=True,
    )
    (theirs,) = flipping(
        model=network,
        x_batch=plane[None, None],
        y_batch=np.array([output]),
        a_batch=values.reshape(1, 1, EDGE, EDGE),
        softmax=False,
        channel_first=True,
    )
    ours = faithfulness.curves(game, values, output).deletion
    assert np.ptp(ours) > 0.05, "something must happen for the comparison to mean anything"
    assert ours[1:] == pytest.approx(np.array(theirs), abs=1e-5)

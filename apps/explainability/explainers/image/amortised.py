"""Amortised Shapley values: one forward pass of a learned explainer (FastSHAP; Jethani et al., ICLR 2022).

The explainer's trunk is initialised from the classifier; its head predicts a value per region, output and
space. The values are corrected to sum to the model's actual output (additive efficient normalisation, Ruiz
et al. 1998), so efficiency holds exactly although the values are learned.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F

from apps.explainability.explainers.image.coalition_game import SPACES, Regions, Values
from apps.inference.engines.radiograph.networks import fold_batch_norms
from apps.inference.engines.radiograph.preprocessing import normalise

SCALE = (1.0, 6.0)
"""Scale of the head's output in each space: the range of probabilities, and of typical log-odds."""
WIDTH = 96


class Explainer(nn.Module):
    """Network from image and baseline to attributions (n, spaces, outputs, regions), before the sum is corrected."""

    def __init__(self, trunk: nn.Sequential, outputs: int, grid: tuple[int, ...]) -> None:
        super().__init__()
        self.trunk, self.outputs, self.grid = _for_two(trunk), outputs, grid
        self.fine = nn.Conv2d(48, WIDTH, 1)
        self.coarse = nn.Conv2d(576, WIDTH, 1)
        self.mix = nn.Sequential(
            nn.Hardswish(), nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.Hardswish(), nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        )
        last = nn.Conv2d(WIDTH, len(SPACES) * outputs, 1)
        nn.init.zeros_(last.weight)
        self.head = nn.Sequential(nn.Hardswish(), last)
        self.scale: torch.Tensor
        self.register_buffer("scale", torch.tensor(SCALE).reshape(1, -1, 1, 1), persistent=False)

    def forward(self, films: torch.Tensor, baselines: torch.Tensor) -> torch.Tensor:
        """Predict attributions for images and baselines, (n, rows, columns) grey levels each."""
        both = torch.cat([normalise(films), normalise(baselines)], dim=1)
        hidden = both.contiguous(memory_format=torch.channels_last)
        fine = None
        for number, block in enumerate(self.trunk):
            hidden = block(hidden)
            if number == 8:
                fine = hidden
        assert fine is not None
        mixed = self.fine(fine) + F.interpolate(self.coarse(hidden), fine.shape[2:], mode="bilinear")
        mixed = mixed + self.mix(mixed)
        rows, columns = self.grid
        boxes = F.adaptive_avg_pool2d(self.head(mixed), (rows, columns))
        return boxes.reshape(len(films), len(SPACES), self.outputs, -1) * self.scale


class Amortised:
    """A loaded explainer for single images."""

    def __init__(self, network: Explainer, regions: Regions, device: torch.device | str = "cpu") -> None:
        self.network = fold_batch_norms(network.eval()).requires_grad_(False).to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.regions, self.device = regions, device

    def values(
        self,
        plane: npt.NDArray[np.generic],
        baseline: npt.NDArray[np.generic],
        ends: tuple[Values, Values],
    ) -> Values:
        """Attributions of one image, (spaces, outputs, regions).

        Args:
            ends: values of baseline and image, (spaces, outputs) each; the sums are corrected to them.
        """
        film, hidden = (
            torch.from_numpy(np.array(part, dtype=np.float32))[None].to(self.device) for part in (plane, baseline)
        )
        with torch.inference_mode():
            values = self.network(film, hidden)[0].double().cpu().numpy()
        return efficient(values, ends)


def efficient(values: Values, ends: tuple[Values, Values]) -> Values:
    """Distribute the residual evenly over attributions (…, regions), so that they sum to the difference of the ends."""
    residual = ends[1] - ends[0] - values.sum(axis=-1)
    return np.asarray(values + residual[..., None] / values.shape[-1])


def _for_two(trunk: Any) -> nn.Sequential:
    """The classifier's trunk with a second, zero-initialised input channel."""
    first = trunk[0][0]
    wider = nn.Conv2d(
        2, first.out_channels, first.kernel_size, first.stride, first.padding, bias=first.bias is not None
    )
    with torch.no_grad():
        wider.weight.zero_()
        wider.weight[:, :1] = first.weight
    trunk[0][0] = wider
    return trunk

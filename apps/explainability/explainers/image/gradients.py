"""White-box explainers: expected gradients, DeepSHAP, and Grad-CAM for comparison.

The first two are from the ``shap`` library (Erion et al. 2021; Lundberg and Lee 2017); both explain
log-odds. Values in probability are scaled by the ratio of the changes in probability and log-odds, which
preserves sums and ranks.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import shap
import torch
from torch import nn
from torch.nn import functional as F

from apps.explainability.explainers.image.attribution import Attribution, Budget
from apps.explainability.explainers.image.coalition_game import Game, Values

PATHS = 8
"""Minimum number of sampled paths; each takes one forward pass and one backward pass per output."""


class LogOdds(nn.Module):
    """The model as a torch module for shap: (n, *shape) to log-odds (n, outputs)."""

    def __init__(self, game: Game, network: nn.Module | None = None) -> None:
        super().__init__()
        self.network, self._model = network, game.model

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """Compute log-odds as float32, since shap compares with the planes' dtype."""
        return torch.logit(self._model(planes), eps=1e-6).float()


def expected(game: Game, watched: tuple[int, ...], budget: Budget) -> Iterator[Attribution]:
    """Expected gradients: gradients at random points between baseline and image, times their difference."""
    explainer = shap.GradientExplainer(LogOdds(game), game.baseline[None], batch_size=game.batch)
    samples = max(PATHS, budget.evaluations // 4)
    values = _per_output(explainer.shap_values(game.film[None], nsamples=samples, rseed=0), game)
    game.evaluations += 4 * samples
    yield _in_both_spaces(values, game)


def deep(game: Game, watched: tuple[int, ...], budget: Budget) -> Iterator[Attribution]:
    """DeepSHAP; only exact for layers with rules in shap, so check the gap."""
    module = LogOdds(game, getattr(getattr(game.model, "__self__", None), "network", None))
    explainer = shap.DeepExplainer(module, game.baseline[None])
    values = _per_output(explainer.shap_values(game.film[None], check_additivity=False), game)
    game.evaluations += 4
    yield _in_both_spaces(values, game)


def grad_cam(game: Game, layer: nn.Module) -> npt.NDArray[np.float32]:
    """Grad-CAM (Selvaraju et al., ICCV 2017) of each output, (outputs, *shape); no Shapley values.

    Args:
        layer: the layer whose features are weighted, the last before pooling.
    """
    captured: list[torch.Tensor] = []
    hook = layer.register_forward_hook(lambda module, inputs, features: captured.append(features))
    try:
        film = game.film[None].clone().requires_grad_(True)
        answers = torch.logit(game.model(film), eps=1e-6)[0]
        maps = []
        for answer in answers:
            (slope,) = torch.autograd.grad(answer, captured[0], retain_graph=True)
            axes = tuple(range(2, slope.ndim))
            weighted = F.relu((slope.mean(dim=axes, keepdim=True) * captured[0]).sum(dim=1, keepdim=True))
            maps.append(F.interpolate(weighted, game.regions.shape, mode=game.regions.smooth)[0, 0])
    finally:
        hook.remove()
    game.evaluations += 4
    return torch.stack(maps).detach().cpu().numpy()


def _per_output(values: npt.NDArray[np.floating] | list[npt.NDArray[np.floating]], game: Game) -> Values:
    """Reorder shap's values of one image (outputs last, or a list) to (outputs, *shape)."""
    stacked = np.stack(values) if isinstance(values, list) else np.moveaxis(np.asarray(values), -1, 0)
    return stacked[:, 0].astype(np.float64)


def _in_both_spaces(log_odds: Values, game: Game) -> Attribution:
    empty, full = game.ends
    change = full - empty
    slope = np.divide(change[0], change[1], out=np.zeros_like(change[0]), where=np.abs(change[1]) > 1e-9)
    slope = slope.reshape(-1, *(1,) * (log_odds.ndim - 1))
    values = np.stack([log_odds * slope, log_odds]).astype(np.float32)
    return Attribution(values, empty, full, game.evaluations)

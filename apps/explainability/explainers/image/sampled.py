"""Shapley values by sampling, with intervals, early stopping and a prior.

Kernel SHAP (Lundberg and Lee 2017) regresses the values of coalitions on their members. Here the regression
is Bayesian (BayesSHAP; Slack et al., NeurIPS 2021): the amortised explainer's values are the prior mean,
neighbouring regions are correlated a priori, and coalitions are drawn from the Shapley kernel in pairs with
their complements (Covert and Lee, AISTATS 2021). With few evaluations the estimate relies on the prior, with
many on the model only. The error of the amortised values was measured on held-out images (SPREAD); the noise
of a coalition is estimated from the evaluations themselves. The posterior gives each region an interval, and
sampling stops when those of the strongest regions are narrow enough.

The algebra is done in torch: threads of a second library beside torch's own would halve the speed of both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from apps.explainability.explainers.image.attribution import Attribution, Budget
from apps.explainability.explainers.image.coalition_game import GameLike, Regions, Values

Z95 = 1.96
RATIOS = torch.logspace(-5, 3, 33, dtype=torch.float64).unsqueeze(1)
"""Candidate ratios of prior to noise variance; the one with the highest marginal likelihood is used."""
SPREAD = 1.0
"""Error of the amortised values of single regions, relative to their own root mean square."""
REACH = 1.5
"""Length scale of the prior correlation, in regions."""


@dataclass
class _Evidence:
    """Sufficient statistics of the evaluations so far; their size does not grow with the number of evaluations.

    Attributes:
        prior: (games, regions) prior mean; a game is one output in one space.
        spread: (games,) variance of the true values around the prior mean, or None if unknown.
        root: (regions, regions) root of the prior covariance.
    """

    prior: torch.Tensor
    root: torch.Tensor
    gram: torch.Tensor
    products: torch.Tensor
    squares: torch.Tensor
    spread: torch.Tensor | None = None
    count: int = 0


def sample(
    game: GameLike,
    *,
    prior: Values | None,
    watched: tuple[int, ...],
    budget: Budget,
    rng: np.random.Generator,
    covariance: torch.Tensor | None = None,
    chunk: int = 128,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Attribution]:
    """Evaluate coalitions in chunks and yield the posterior after each; the last one states why sampling stopped.

    Args:
        prior: (spaces, outputs, regions) prior mean, or None.
        watched: outputs whose precision (in probability) decides when to stop.
        covariance: (regions, regions) prior covariance; default: neighbouring regions are correlated.
        chunk: evaluations per step.
    """
    started = clock()
    players = game.regions.count
    empty, full = game.ends
    base = np.zeros((*empty.shape, players)) if prior is None else prior
    base = base + ((full - empty - base.sum(axis=-1)) / players)[..., None]
    flat = torch.from_numpy(base.reshape(-1, players))
    known = _Evidence(
        flat,
        _root(_neighbours(game.regions) if covariance is None else covariance),
        torch.zeros(players, players, dtype=torch.float64),
        torch.zeros(players, len(flat), dtype=torch.float64),
        torch.zeros(len(flat), dtype=torch.float64),
        None if prior is None else (SPREAD**2 * (flat**2).mean(dim=1)).clamp_min(1e-12),
    )
    while True:
        coalitions = draw_pairs(rng, min(chunk, budget.evaluations - game.evaluations), players)
        earned = game.values(coalitions) - empty
        _learn(known, torch.from_numpy(coalitions).double(), torch.from_numpy(earned.reshape(len(earned), -1)))
        values, half = _posterior(known)
        shape = (*empty.shape, *game.regions.grid)
        stopped = _enough(values.reshape(base.shape), half.reshape(base.shape), watched, budget) or _spent(
            game, budget, clock() - started
        )
        yield Attribution(values.reshape(shape), empty, full, game.evaluations, half.reshape(shape), stopped)
        if stopped:
            return


def draw_pairs(rng: np.random.Generator, count: int, players: int) -> npt.NDArray[np.bool_]:
    """Draw coalitions (count, players) from the Shapley kernel, each with its complement; at least one pair."""
    sizes = np.arange(1, players)
    weights = 1 / (sizes * (players - sizes))
    drawn = rng.choice(sizes, size=max(1, count // 2), p=weights / weights.sum())
    half = rng.random((len(drawn), players)).argsort(axis=1) < drawn[:, None]
    return np.stack([half, ~half], axis=1).reshape(-1, players)


def _neighbours(regions: Regions) -> torch.Tensor:
    """Prior covariance: nearby regions are correlated."""
    positions = torch.cartesian_prod(*(torch.arange(float(number)) for number in regions.grid))
    apart = torch.cdist(positions, positions).double() ** 2
    return 0.5 * torch.eye(regions.count) + 0.5 * torch.exp(-apart / (2 * REACH**2))


def _root(covariance: torch.Tensor) -> torch.Tensor:
    """A root of the prior covariance with the direction of the sum projected out, since the sum is known."""
    players = len(covariance)
    return (torch.eye(players, dtype=torch.float64) - 1 / players) @ torch.linalg.cholesky(covariance)


def _learn(known: _Evidence, seen: torch.Tensor, earned: torch.Tensor) -> None:
    rest = earned - seen @ known.prior.T
    design = seen @ known.root
    known.gram += design.T @ design
    known.products += design.T @ rest
    known.squares += (rest**2).sum(dim=0)
    known.count += len(seen)


def _posterior(known: _Evidence) -> tuple[Values, Values]:
    """Posterior mean and half-width of the 95 % interval, (games, regions) each, at the best ratio in RATIOS."""
    eigenvalues, vectors = torch.linalg.eigh(known.gram)
    eigenvalues = eigenvalues.clamp_min(0)
    turned = vectors.T @ known.products
    # For each ratio: the maximum-likelihood noise, and the likelihood of the evaluations.
    shrinkage = RATIOS / (1 + RATIOS * eigenvalues)
    left = (known.squares - shrinkage @ turned**2).clamp_min(1e-14)
    noise = left / known.count if known.spread is None else known.spread / RATIOS
    likelihood = known.count * noise.log() + left / noise + torch.log1p(RATIOS * eigenvalues).sum(dim=1, keepdim=True)
    best = likelihood.argmin(dim=0)
    away = known.root @ vectors
    mean = known.prior + (away @ (shrinkage[best].T * turned)).T
    variance = noise[best, torch.arange(len(best))].unsqueeze(1) * (shrinkage[best] @ (away**2).T)
    return mean.numpy(), Z95 * variance.sqrt().numpy()


def _enough(values: Values, half: Values, watched: tuple[int, ...], budget: Budget) -> str:
    seen, width = values[0, list(watched)], half[0, list(watched)]
    strongest = np.abs(seen).argsort(axis=1)[:, -budget.strongest :]
    limit = budget.precision * np.abs(seen).max(axis=1, keepdims=True)
    return "precise" if (np.take_along_axis(width, strongest, axis=1) <= limit + 1e-6).all() else ""


def _spent(game: GameLike, budget: Budget, seconds: float) -> str:
    if game.evaluations + 2 > budget.evaluations:
        return "budget"
    return "time" if seconds >= budget.seconds else ""

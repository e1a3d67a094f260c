"""How good an explanation is, in figures.

Deletion and insertion (Petsiuk et al., BMVC 2018): the strongest regions are hidden one by one, or shown one
by one; a faithful order makes the answer fall, or rise, faster than a random one. Additivity: base value and
attributions must sum up to the answer. Foretelling: they must foretell answers that they never saw.
Agreement: correlation of two explainers' regions. Stability: the same of a film and the film with a little
noise. Pointing game (Zhang et al., IJCV 2018): whether the strongest point lies on what is known to be
there. Sanity (Adebayo et al., NeurIPS 2018): a model with random weights must be explained otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, stats

from apps.explainability.explainers.image.coalition_game import Game, Values

STEPS = 16
ORDERS = 4
HALVES = 64
TOLERANCE = 0.03
"""The pointing game forgives a miss by this share of the film's edge (15 of 500 pixels in the paper)."""
NOISE = 2.0
"""Deviation of the noise for stability, grey levels of 255."""


@dataclass(frozen=True)
class Curves:
    """What is left of an output's probability while regions are hidden, and what there is while they are shown.

    Attributes:
        deletion, insertion: (STEPS + 1,) in the explanation's order.
        random: (orders, STEPS + 1) shown in random orders.
    """

    deletion: Values
    insertion: Values
    random: Values

    @property
    def deletion_auc(self) -> float:
        return _area(self.deletion)

    @property
    def insertion_auc(self) -> float:
        return _area(self.insertion)

    @property
    def random_auc(self) -> float:
        """What both areas are on the average of random orders."""
        return float(np.mean([_area(curve) for curve in self.random]))

    @property
    def advantage(self) -> float:
        """Insertion less deletion: 0 for a random order, larger is better."""
        return self.insertion_auc - self.deletion_auc

    @property
    def chance(self) -> float:
        """The advantage that one random order in 40 would reach: two deviations, by the orders that were tried."""
        return 2 * float(np.std([_area(curve) for curve in self.random], ddof=1)) * np.sqrt(2)


def curves(game: Game, regions: Values, output: int, rng: np.random.Generator, *, orders: int = ORDERS) -> Curves:
    """Hide and show a film's regions by their attributions, (regions,), and at random."""
    by_strength = np.argsort(-regions, kind="stable")
    tried = [by_strength, by_strength[::-1], *(rng.permutation(len(regions)) for _ in range(orders))]
    coalitions = np.concatenate([_growing(order) for order in tried])
    answers = game.values(coalitions)[:, 0, output].reshape(len(tried), STEPS + 1)
    return Curves(deletion=answers[1][::-1], insertion=answers[0], random=answers[2:])


def enough_to_lose(game: Game, regions: Values, output: int, threshold: float) -> tuple[int, float] | None:
    """The fewest of the strongest regions whose hiding takes the answer below the threshold.

    Returns:
        How many, and the probability that is then left; None if no number of them does.
    """
    order = np.argsort(-regions, kind="stable")[: int((regions > 0).sum())]
    low, high, left = 1, len(order), None
    while low <= high:
        middle = (low + high) // 2
        seen = np.ones((1, len(regions)))
        seen[0, order[:middle]] = 0
        probability = float(game.values(seen)[0, 0, output])
        if probability < threshold:
            left, high = (middle, probability), middle - 1
        else:
            low = middle + 1
    return left


def agreement(one: Values, other: Values) -> float:
    """Spearman's rank correlation of two attributions of the same regions; 0 where one of them is constant."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(stats.spearmanr(one, other).statistic)


def likeness(one: Values, other: Values) -> float:
    """Pearson's correlation of two attributions of the same regions; 0 where one of them is constant.

    Most regions of a film with one small finding are near nothing, and their ranks are noise: here the strong
    ones count.
    """
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def foretells(game: Game, values: Sequence[Values], output: int, rng: np.random.Generator) -> list[float]:
    """How well attributions foretell answers that they never saw: films with a random half of the regions hidden.

    Args:
        values: several explainers' attributions of the regions in log-odds, (regions,) each.

    Returns:
        For each the correlation of foretold and given log-odds; 0 where one of them is constant.
    """
    regions = game.regions.count
    halves = rng.random((HALVES, regions)).argsort(axis=1) < regions // 2
    given = game.values(halves)[:, 1, output]
    told = [halves.astype(np.float64) @ one for one in values]
    return [float(np.corrcoef(one, given)[0, 1]) if np.ptp(one) > 0 and np.ptp(given) > 0 else 0.0 for one in told]


def disturbed(plane: npt.NDArray[np.generic], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """The film with a little noise."""
    return np.clip(plane.astype(np.float64) + rng.normal(0, NOISE, plane.shape), 0, 255).astype(np.float32)


def points_at(pixels: npt.NDArray[np.floating], truth: npt.NDArray[np.bool_]) -> bool:
    """Whether the strongest point of attributions of pixels lies on the truth or just beside it.

    The map is smoothed as it is drawn, so that the middle of the strongest region counts, not its corner.
    """
    edge = max(pixels.shape)
    smooth = ndimage.gaussian_filter(pixels, 0.02 * edge)
    near = ndimage.distance_transform_edt(~truth) <= TOLERANCE * edge
    return bool(near[np.unravel_index(smooth.argmax(), smooth.shape)])


def within(pixels: npt.NDArray[np.floating], truth: npt.NDArray[np.bool_]) -> float:
    """The share of the positive evidence that lies on the truth."""
    positive = np.clip(pixels, 0, None)
    return float(positive[truth].sum() / max(positive.sum(), 1e-12))


def _growing(order: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """(STEPS + 1, regions) coalitions from nobody to all in this order."""
    place = np.empty(len(order), dtype=int)
    place[order] = np.arange(len(order))
    counts = np.round(np.linspace(0, len(order), STEPS + 1)).astype(int)
    return np.asarray(place[None] < counts[:, None])


def _area(curve: Values) -> float:
    return float(np.trapezoid(curve, dx=1 / STEPS))

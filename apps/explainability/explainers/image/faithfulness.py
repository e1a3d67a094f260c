"""Faithfulness metrics of explanations.

Deletion and insertion (Petsiuk et al., BMVC 2018): the strongest regions are hidden, or revealed, one by one;
with a faithful ranking the output falls, or rises, faster than with a random one. Additivity: base value plus
attributions must equal the output. Predictive fidelity: the attributions must predict outputs they were not
computed from. Agreement: correlation of two explainers. Stability: correlation of the attributions of an image
and of the image with slight noise. Pointing game (Zhang et al., IJCV 2018): whether the maximum is on the known
finding. Sanity check (Adebayo et al., NeurIPS 2018): a model with random weights must be explained differently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, stats

from apps.explainability.explainers.image.coalition_game import Game, Values

STEPS = 16
ORDERS = 4
HALVES = 64
TOLERANCE = 0.03
"""Tolerance of the pointing game as a share of the image's edge (15 of 500 pixels in the paper)."""
NOISE = 2.0
"""Sigma of the noise for stability, in grey levels (0..255)."""


@dataclass(frozen=True)
class Curves:
    """An output's probability while regions are hidden (deletion) or revealed (insertion).

    Attributes:
        deletion, insertion: (STEPS + 1,) in the explanation's order.
        random: (orders, STEPS + 1) insertion curves in random orders; no row if none were evaluated.
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
        """Mean area of the random orders, the expectation of both areas."""
        return float(np.mean([_area(curve) for curve in self.random]))

    @property
    def advantage(self) -> float:
        """Insertion minus deletion area: 0 for a random order, larger is better."""
        return self.insertion_auc - self.deletion_auc

    @property
    def chance(self) -> float:
        """The advantage that one in 40 random orders would reach: two standard deviations over the random orders."""
        return 2 * float(np.std([_area(curve) for curve in self.random], ddof=1)) * np.sqrt(2)


def random_insertions(game: Game, rng: np.random.Generator, *, orders: int = ORDERS) -> Values:
    """Probabilities (orders, STEPS + 1, outputs) while an image's regions are revealed in random orders.

    They depend on no attribution: evaluate them once for all outputs of an image.
    """
    tried = [_growing(rng.permutation(game.regions.count)) for _ in range(orders)]
    return game.values(np.concatenate(tried))[:, 0].reshape(orders, STEPS + 1, -1)


def curves(game: Game, regions: Values, output: int, random: Values | None = None) -> Curves:
    """Hide and reveal an image's regions by their attributions, (regions,).

    Args:
        random: from :func:`random_insertions`, of the same image, for comparison with chance.
    """
    by_strength = np.argsort(-regions, kind="stable")
    coalitions = np.concatenate([_growing(by_strength), _growing(by_strength[::-1])])
    insertion, deletion = game.values(coalitions)[:, 0, output].reshape(2, STEPS + 1)
    at_random = np.empty((0, STEPS + 1)) if random is None else random[..., output]
    return Curves(deletion=deletion[::-1], insertion=insertion, random=at_random)


def smallest_reversing_set(game: Game, regions: Values, output: int, threshold: float) -> tuple[int, float] | None:
    """The smallest number of strongest regions whose hiding takes the output below the threshold.

    Returns:
        The number of regions and the remaining probability; None if hiding all positive regions does not suffice.
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


def rank_correlation(first: Values, second: Values) -> float:
    """Spearman's rank correlation of two attributions of the same regions; 0 if one is constant."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(stats.spearmanr(first, second).statistic)


def correlation(first: Values, second: Values) -> float:
    """Pearson's correlation of two attributions of the same regions; 0 if one is constant.

    In an image with one small finding most regions are near zero and their ranks are noise; here the strong
    regions dominate.
    """
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


@dataclass(frozen=True)
class RandomHalves:
    """A game's values with a random half of the regions hidden, from which no attribution was computed.

    Attributes:
        coalitions: (HALVES, regions), true where a region is visible.
        log_odds: (HALVES, outputs).
    """

    coalitions: npt.NDArray[np.bool_]
    log_odds: Values


def random_halves(game: Game, rng: np.random.Generator) -> RandomHalves:
    """Evaluate random halves once for all outputs and explainers of an image."""
    regions = game.regions.count
    halves = rng.random((HALVES, regions)).argsort(axis=1) < regions // 2
    return RandomHalves(halves, game.values(halves)[:, 1])


def predictive_fidelity(halves: RandomHalves, attributions: Values, output: int) -> float:
    """How well attributions predict the outputs for images with a random half of the regions hidden.

    Args:
        attributions: of the regions in log-odds, (regions,).

    Returns:
        The correlation of predicted and actual log-odds; 0 if one is constant.
    """
    return correlation(halves.coalitions.astype(np.float64) @ attributions, halves.log_odds[:, output])


def with_noise(plane: npt.NDArray[np.generic], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """The image with slight Gaussian noise."""
    return np.clip(plane.astype(np.float64) + rng.normal(0, NOISE, plane.shape), 0, 255).astype(np.float32)


def pointing_game_hit(pixels: npt.NDArray[np.floating], truth: npt.NDArray[np.bool_]) -> bool:
    """Whether the maximum of pixel attributions is on the ground truth, within TOLERANCE.

    The map is smoothed as it is drawn, so that the centre of the strongest region counts, not its corner.
    """
    edge = max(pixels.shape)
    smooth = ndimage.gaussian_filter(pixels, 0.02 * edge)
    near = ndimage.distance_transform_edt(~truth) <= TOLERANCE * edge
    return bool(near[np.unravel_index(smooth.argmax(), smooth.shape)])


def evidence_within(pixels: npt.NDArray[np.floating], truth: npt.NDArray[np.bool_]) -> float:
    """The share of the positive evidence on the ground truth."""
    positive = np.clip(pixels, 0, None)
    return float(positive[truth].sum() / max(positive.sum(), 1e-12))


def _growing(order: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Coalitions (STEPS + 1, regions) from empty to grand coalition in this order."""
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order))
    counts = np.round(np.linspace(0, len(order), STEPS + 1)).astype(int)
    return np.asarray(rank[None] < counts[:, None])


def _area(curve: Values) -> float:
    return float(np.trapezoid(curve, dx=1 / STEPS))

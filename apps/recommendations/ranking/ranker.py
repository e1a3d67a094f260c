"""Hybrid ranker: item factors, a prior from a person's features, and the person's own history.

Item factors come from :mod:`apps.recommendations.ranking.factorisation`; user factors are not stored. A person's
factors are computed on demand from two sources: the preferences of people with similar features (a ridge regression
of factors on features: the cold start), and the person's responses to earlier recommendations (one row of the
factorisation, shrunk towards that prior). A package contains no patient data.

Scores are explained by exact Shapley values. For a given history the score is linear in the features; with the history
as an additional player only the pairs (history, feature) interact, and each pair splits its interaction equally.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from apps.inference.packages.card import Package, PackageRefused

Values = npt.NDArray[np.float64]
FACTORS = "factors.safetensors"
NUMBERS = ("regularisation", "unobserved", "trust")
HALF_LIFE = 365.0
"""Half-life of an act's confidence, in days."""
WEIGHTS = {"accepted": 4.0, "done": 8.0, "helpful": 12.0, "declined": -6.0, "not_helpful": -8.0}
"""Signed confidence of an act: negative for rejection. The strongest act per item counts."""


@dataclass(frozen=True)
class Act:
    """A person's response to an item, and how many days ago."""

    item: str
    act: str
    days_ago: float


@dataclass(frozen=True)
class Scored:
    """An item's score and its attribution.

    Attributes:
        base: the score of an average person without history.
        shares: Shapley values by feature and ``history``; base and shares sum to the score.
    """

    score: float
    base: float
    shares: dict[str, float]


@dataclass(frozen=True)
class Ranker:
    """A trained ranker.

    Attributes:
        codes: item codes.
        features: feature names.
        items: (items, factors).
        prior: (features, factors), regression coefficients of standardised features.
        centre, spread: (features,), mean and standard deviation.
        middle: (factors,), mean of the user factors.
        regularisation: λ of the factorisation.
        unobserved: weight of items without a response; small, since most were never offered.
        trust: weight of the prior, as a multiple of λ.
    """

    codes: tuple[str, ...]
    features: tuple[str, ...]
    items: Values
    prior: Values
    centre: Values
    spread: Values
    middle: Values
    regularisation: float
    unobserved: float
    trust: float

    def scores(self, features: Mapping[str, float], history: Sequence[Act] = ()) -> dict[str, Scored]:
        """Score all items. An unknown feature is imputed by its mean."""
        known = np.array([features.get(name, np.nan) for name in self.features])
        apart = np.nan_to_num((known - self.centre) / self.spread, nan=0.0)
        with_history, without = self._answers(history), self._answers(())
        scored = {}
        for index, code in enumerate(self.codes):
            constant, slopes = with_history[0][index], with_history[1][index]
            plain_constant, plain_slopes = without[0][index], without[1][index]
            shares = apart * (slopes + plain_slopes) / 2
            own = constant - plain_constant + float(apart @ (slopes - plain_slopes)) / 2
            named = dict(zip(self.features, shares.tolist(), strict=True))
            scored[code] = Scored(
                float(constant + apart @ slopes), float(plain_constant), {**named, "history": float(own)}
            )
        return scored

    def _answers(self, history: Sequence[Act]) -> tuple[Values, Values]:
        """Intercepts (items,) and slopes (items, features) of the scores, given a history."""
        width = self.items.shape[1]
        system = self.unobserved * self.items.T @ self.items + 2 * self.trust * self.regularisation * np.eye(width)
        wanted = np.zeros(width)
        for code, weight in confidences(history).items():
            if code in self.codes:
                factor = self.items[self.codes.index(code)]
                system += (abs(weight) - self.unobserved) * np.outer(factor, factor)
                wanted += max(weight, 0.0) * factor
        pull = 2 * self.trust * self.regularisation
        reached = np.linalg.solve(system, np.column_stack([wanted + pull * self.middle, pull * self.prior.T]))
        answers = self.items @ reached
        return answers[:, 0], answers[:, 1:]

    def write(self, folder: Path) -> None:
        """Write the arrays as safetensors; names and scalars belong on the model card."""
        arrays = {name: getattr(self, name) for name in ("items", "prior", "centre", "spread", "middle")}
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / FACTORS)


def confidences(history: Sequence[Act]) -> dict[str, float]:
    """Signed confidence by item: the strongest act with exponential decay, at least 1 in magnitude."""
    strongest: dict[str, float] = {}
    for act in history:
        weight = WEIGHTS[act.act]
        faded = float(np.sign(weight)) * max(1.0, abs(weight) * 0.5 ** (act.days_ago / HALF_LIFE))
        if abs(faded) > abs(strongest.get(act.item, 0.0)):
            strongest[act.item] = faded
    return strongest


def read_ranker(package: Package) -> Ranker:
    """Load the ranker of a package.

    Raises:
        PackageRefused: if the file is unreadable or does not match the card.
    """
    settings: dict[str, Any] = package.card["ranking"]
    codes, features = tuple(settings["items"]), tuple(settings["features"])
    try:
        arrays: dict[str, Any] = load_file(package.folder / FACTORS)
        numbers = {name: settings[name] for name in NUMBERS}
        ranker = Ranker(codes, features, **arrays, **numbers)
    except (SafetensorError, OSError, TypeError) as error:
        raise PackageRefused(f"{package.name} {package.version}: {FACTORS} holds no factors") from error
    width = ranker.items.shape[-1]
    fits = {
        "items": (len(codes), width),
        "prior": (len(features), width),
        "centre": (len(features),),
        "spread": (len(features),),
        "middle": (width,),
    }
    if any(getattr(ranker, name).shape != shape for name, shape in fits.items()) or not (ranker.spread > 0).all():
        raise PackageRefused(f"{package.name} {package.version}: the factors do not fit the card")
    return ranker


def order(candidates: Sequence[tuple[str, str, int, float]], *, repeated: float = 0.15) -> list[str]:
    """Rank candidates by urgency, then by score with diversification; return their codes.

    Args:
        candidates: (code, kind, urgency, score); larger urgency is more urgent.
        repeated: penalty per earlier item of the same kind, as a fraction of the range of scores.

    Higher urgency always comes first; within an urgency, repeated kinds are penalised (maximal marginal relevance;
    Carbonell and Goldstein, SIGIR 1998).
    """
    scores = [score for *_rest, score in candidates]
    spread = (max(scores) - min(scores)) if scores else 0.0
    left = list(candidates)
    shown: list[str] = []
    kinds: list[str] = []
    while left:
        best = max(left, key=lambda row: (row[2], row[3] - repeated * spread * kinds.count(row[1]), row[0]))
        left.remove(best)
        shown.append(best[0])
        kinds.append(best[1])
    return shown

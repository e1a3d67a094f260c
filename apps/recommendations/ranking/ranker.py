"""Ordering what is allowed: factors of items, a prior from what is known of a person, and that person's own history.

The factors of items come from :mod:`apps.recommendations.ranking.factorisation`; those of people are not kept. A
person's factors are worked out when they are needed, from two sources: what people with such features liked (a ridge
regression of factors on features: the cold start), and what this person did with earlier recommendations (one row of
the factorisation, pulled towards that prior). A package holds no patient.

An order's reasons are exact Shapley values. For a given history the score is linear in the features, so with the
history as one more player only pairs (history, feature) interact, and each shares its interaction half and half.
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
"""Days after which what somebody did counts half."""
WEIGHTS = {"accepted": 4.0, "done": 8.0, "helpful": 12.0, "declined": -6.0, "not_helpful": -8.0}
"""Confidence of an act, signed: below 0 the item was not wanted. The strongest act on an item counts."""


@dataclass(frozen=True)
class Act:
    """What a person did with an item, how many days ago."""

    item: str
    act: str
    days_ago: float


@dataclass(frozen=True)
class Scored:
    """An item's score and where it comes from.

    Attributes:
        base: the score of an average person without a history.
        shares: by feature, and ``history``; base and shares add up to the score.
    """

    score: float
    base: float
    shares: dict[str, float]


@dataclass(frozen=True)
class Ranker:
    """A trained ranker.

    Attributes:
        codes: the items.
        features: names of the features.
        items: (items, factors).
        prior: (features, factors) of standardised features.
        centre, spread: (features,).
        middle: (factors,) of an average person.
        regularisation: λ of the factorisation.
        unobserved: weight of items that were never answered; small, since most were never offered.
        trust: how strongly the prior pulls, as a multiple of λ.
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
        """Of all items. A feature that is not known counts as the average one."""
        known = np.array([features.get(name, np.nan) for name in self.features])
        apart = np.nan_to_num((known - self.centre) / self.spread, nan=0.0)
        with_history, without = self._answers(history), self._answers(())
        found = {}
        for place, code in enumerate(self.codes):
            constant, slopes = with_history[0][place], with_history[1][place]
            plain_constant, plain_slopes = without[0][place], without[1][place]
            shares = apart * (slopes + plain_slopes) / 2
            own = constant - plain_constant + float(apart @ (slopes - plain_slopes)) / 2
            named = dict(zip(self.features, shares.tolist(), strict=True))
            found[code] = Scored(
                float(constant + apart @ slopes), float(plain_constant), {**named, "history": float(own)}
            )
        return found

    def _answers(self, history: Sequence[Act]) -> tuple[Values, Values]:
        """(items,) constants and (items, features) slopes of the scores, for a history."""
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
        """The arrays as safetensors; names and numbers go on the card."""
        arrays = {name: getattr(self, name) for name in ("items", "prior", "centre", "spread", "middle")}
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / FACTORS)


def confidences(history: Sequence[Act]) -> dict[str, float]:
    """Signed confidence by item: the strongest act, fading with time, never below 1."""
    found: dict[str, float] = {}
    for one in history:
        weight = WEIGHTS[one.act]
        faded = float(np.sign(weight)) * max(1.0, abs(weight) * 0.5 ** (one.days_ago / HALF_LIFE))
        if abs(faded) > abs(found.get(one.item, 0.0)):
            found[one.item] = faded
    return found


def read_ranker(package: Package) -> Ranker:
    """The package's ranker.

    Raises:
        PackageRefused: if its file is not what the card says.
    """
    said: dict[str, Any] = package.card["ranking"]
    codes, features = tuple(said["items"]), tuple(said["features"])
    try:
        arrays: dict[str, Any] = load_file(package.folder / FACTORS)
        numbers = {name: said[name] for name in NUMBERS}
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
    """Codes in the order in which a person should see them.

    Args:
        candidates: code, kind, urgency (larger is more pressing), score.
        repeated: what a score loses for each item of the same kind before it, as a share of the scores' spread.

    The more pressing come first whatever the scores say; among equally pressing ones, a kind that was there already
    steps back (maximal marginal relevance; Carbonell and Goldstein, SIGIR 1998).
    """
    scores = [score for *_rest, score in candidates]
    spread = (max(scores) - min(scores)) if scores else 0.0
    left = list(candidates)
    shown: list[str] = []
    kinds: list[str] = []
    while left:
        best = max(left, key=lambda one: (one[2], one[3] - repeated * spread * kinds.count(one[1]), one[0]))
        left.remove(best)
        shown.append(best[0])
        kinds.append(best[1])
    return shown

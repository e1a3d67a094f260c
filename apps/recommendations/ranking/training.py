"""Training, evaluation and packaging of ``care-ranker``.

Evaluated on a temporal split: earlier acts are training data and history, later ones are to be predicted among the
items that the rules allow and that have no response yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch

from apps.inference.training.packing import begin, finish
from apps.recommendations.ranking.evaluation import Figure, by_group, mean_with_interval, ndcg, recall
from apps.recommendations.ranking.factorisation import Problem, factorise, start
from apps.recommendations.ranking.features import FEATURES
from apps.recommendations.ranking.ranker import NUMBERS, Act, Ranker, confidences

Values = npt.NDArray[np.float64]
NAME = "care-ranker"
GRID = tuple(
    (width, regularisation, unobserved, trust)
    for width in (8, 16)
    for regularisation in (1.0, 4.0)
    for unobserved in (0.02, 0.2, 1.0)
    for trust in (1.0, 5.0)
)
SWEEPS = 15
SEED = 53
LAST_SHARE = 0.3
"""Share of each person's newest acts that is held out."""


@dataclass(frozen=True)
class Learner:
    """A person as training example.

    Attributes:
        acts: oldest first; ``days_ago`` relative to the newest day of the data.
        allowed: items that rules propose, in their order; empty if unknown: all items.
        groups: age band, sex and language, for the fairness table.
    """

    features: Mapping[str, float]
    acts: tuple[Act, ...]
    allowed: tuple[str, ...]
    groups: Mapping[str, str]


@dataclass(frozen=True)
class Trained:
    """A ranker, its number of factors and its validation nDCG@10."""

    ranker: Ranker
    width: int
    choice: float


def fit(
    people: Sequence[Learner],
    codes: Sequence[str],
    *,
    width: int,
    regularisation: float,
    unobserved: float,
    trust: float,
    seed: int = SEED,
) -> Ranker:
    """Factorise the responses, then regress the user factors on the features."""
    rows, columns, weights = [], [], []
    index_of = {code: index for index, code in enumerate(codes)}
    for row, person in enumerate(people):
        for code, weight in confidences(person.acts).items():
            if code in index_of:
                rows.append(row)
                columns.append(index_of[code])
                weights.append(weight)
    matrix = sp.csr_matrix((np.array(weights, dtype=np.float64), (rows, columns)), shape=(len(people), len(codes)))
    problem = Problem.implicit(matrix, regularisation=regularisation, unobserved=unobserved)
    first = start(len(people), len(codes), width, seed=seed, dtype=np.float64)
    factors = factorise(problem, first, sweeps=SWEEPS)
    table = np.array([[person.features.get(name, np.nan) for name in FEATURES] for person in people])
    some = ~np.isnan(table).all(axis=0)
    centre = np.where(some, np.nanmean(np.where(some, table, 0.0), axis=0), 0.0)
    spread = np.where(some, np.nanstd(np.where(some, table, 0.0), axis=0), 1.0)
    spread = np.where(spread > 1e-6, spread, 1.0)
    known = np.nan_to_num((table - centre) / spread, nan=0.0)
    middle = factors.users.mean(axis=0)
    shrunk = known.T @ known + 0.01 * len(people) * np.eye(len(FEATURES))
    prior = np.linalg.solve(shrunk, known.T @ (factors.users - middle))
    return Ranker(
        tuple(codes), FEATURES, np.asarray(factors.items, dtype=np.float64), prior, centre, spread,
        np.asarray(middle, dtype=np.float64), regularisation, unobserved, trust,
    )  # fmt: skip


@dataclass(frozen=True)
class Split:
    """Temporal split: people before the cut, items they accepted later, and candidate items left."""

    before: list[Learner]
    later: list[set[str]]
    left: list[tuple[str, ...]]


def by_time(people: Sequence[Learner], codes: Sequence[str]) -> Split:
    """Hold out the newest acts of each person."""
    before, later, left = [], [], []
    for person in people:
        cut = len(person.acts) - max(1, round(len(person.acts) * LAST_SHARE))
        known, new = person.acts[:cut], person.acts[cut:]
        moment = min((act.days_ago for act in new), default=0.0)
        answered = {act.item for act in known}
        earlier = tuple(Act(act.item, act.act, max(0.0, act.days_ago - moment)) for act in known)
        before.append(Learner(person.features, earlier, person.allowed, person.groups))
        later.append({act.item for act in new if act.act in ("accepted", "done", "helpful")})
        left.append(tuple(code for code in (person.allowed or codes) if code not in answered))
    return Split(before, later, left)


Order = Callable[[Learner, tuple[str, ...]], list[str]]


def orders(split: Split, ranker: Ranker, codes: Sequence[str]) -> dict[str, Order]:
    """The ranker and its baselines: features only, popularity, rule order."""
    counts = dict.fromkeys(codes, 0)
    for person in split.before:
        for act in person.acts:
            counts[act.item] = counts.get(act.item, 0) + (1 if act.act in ("accepted", "done", "helpful") else 0)

    def ranked(person: Learner, left: tuple[str, ...], history: Sequence[Act]) -> list[str]:
        scores = ranker.scores(person.features, history)
        return sorted(left, key=lambda code: (-scores[code].score if code in scores else 0.0, code))

    return {
        "hybrid": lambda person, left: ranked(person, left, person.acts),
        "content": lambda person, left: ranked(person, left, ()),
        "popularity": lambda _person, left: sorted(left, key=lambda code: (-counts.get(code, 0), code)),
        "rules": lambda _person, left: list(left),
    }


def measure(split: Split, order: Order) -> tuple[Values, Values]:
    """nDCG@10 and recall@3 per person; NaN if no held-out item was accepted.

    Rules rarely leave more than ten items, so recall@10 would be 1 for every ranking.
    """
    ranked = [order(person, left) for person, left in zip(split.before, split.left, strict=True)]
    gains = np.array([ndcg(codes, wanted) for codes, wanted in zip(ranked, split.later, strict=True)])
    recalls = np.array([recall(codes, wanted, depth=3) for codes, wanted in zip(ranked, split.later, strict=True)])
    return gains, recalls


def choose(
    people: Sequence[Learner], codes: Sequence[str], *, log: Callable[[str], None] = lambda _text: None
) -> Trained:
    """Select hyperparameters from GRID by nDCG@10 on an inner temporal split."""
    split = by_time(people, codes)
    best: Trained | None = None
    for width, regularisation, unobserved, trust in GRID:
        ranker = fit(
            split.before, codes, width=width, regularisation=regularisation, unobserved=unobserved, trust=trust
        )
        gain = float(np.nanmean(measure(split, orders(split, ranker, codes)["hybrid"])[0]))
        log(f"{width} factors, λ {regularisation:g}, unobserved {unobserved:g}, trust {trust:g}: nDCG@10 {gain:.4f}")
        if best is None or gain > best.choice:
            best = Trained(ranker, width, gain)
    assert best is not None
    return best


def train(
    people: Sequence[Learner], codes: Sequence[str], output: Path, *, version: str, data: str, how: str,
    source: Sequence[str], log: Callable[[str], None] = lambda _text: None,
) -> dict[str, Any]:  # fmt: skip
    """Select hyperparameters, evaluate, fit and write the package.

    Hyperparameters are selected on half of the people and evaluated on the other half; the package is fitted on all.

    Returns:
        The card.

    Raises:
        FileExistsError: if ``output`` holds a package already.
    """
    begin(output)
    torch.manual_seed(SEED)
    halves = np.random.default_rng(SEED).random(len(people)) < 0.5
    chosen = choose([person for person, first in zip(people, halves, strict=True) if first], codes, log=log)
    settings = {"width": chosen.width, **{name: getattr(chosen.ranker, name) for name in NUMBERS}}
    others = [person for person, first in zip(people, halves, strict=True) if not first]
    split = by_time(others, codes)
    ranker = fit(split.before, codes, **settings)
    values, groups = _figures(split, orders(split, ranker, codes))
    final = fit(people, codes, **settings)
    final.write(output)
    card = _card(
        version, final, len(people), settings, values, groups, data=data, how=how, source=source, measured=len(others)
    )
    return finish(output, card)


def _figures(split: Split, ways: Mapping[str, Order]) -> tuple[dict[str, Figure], dict[str, dict[str, Figure]]]:
    values: dict[str, Figure] = {}
    groups: dict[str, dict[str, Figure]] = {}
    gains: dict[str, Values] = {}
    for name, order in ways.items():
        gains[name], recalls = measure(split, order)
        values[f"ndcg_{name}"], values[f"recall_{name}"] = mean_with_interval(gains[name]), mean_with_interval(recalls)
    for name in ("content", "popularity", "rules"):
        values[f"gain_over_{name}"] = mean_with_interval(gains["hybrid"] - gains[name])
    for by in ("age", "sex", "language"):
        groups[by] = by_group(
            gains["hybrid"], [person.groups.get(by, "?") for person in split.before], mean_with_interval
        )
    return values, groups


def _card(
    version: str, ranker: Ranker, people: int, settings: Mapping[str, Any], values: Mapping[str, Figure],
    groups: Mapping[str, Mapping[str, Figure]], *, data: str, how: str, source: Sequence[str], measured: int,
) -> dict[str, Any]:  # fmt: skip
    simulated = data == "drawn people"
    return {
        "name": NAME,
        "version": version,
        "title": {"en": "Order of recommendations", "zh-hans": "建议排序"},
        "task": "recommendation",
        "runtime": "factors",
        "architecture": "implicit matrix factorisation by alternating least squares, with a prior from features",
        "ranking": {
            "items": list(ranker.codes),
            "features": list(ranker.features),
            **{name: getattr(ranker, name) for name in NUMBERS},
            "fairness": {by: {name: _figure(figure) for name, figure in rows.items()} for by, rows in groups.items()},
        },
        "metrics": [
            {
                "data": data,
                "how": how,
                "patients": measured,
                "values": {name: asdict(figure) for name, figure in values.items()},
            }
        ],
        "intended_use": {
            "en": "To order recommendations that guideline rules allow, for clinicians who review them. It decides "
            "nothing: what is proposed, held back or released follows from rules and people."
            + (
                " Learned from invented people: it shows the method until it is trained on a hospital's own."
                if simulated
                else ""
            ),
            "zh-hans": "用于对指南规则允许的建议排序，供临床人员审核。它不作任何决定。"
            + ("由虚构人群训练，在用本院数据训练之前仅用于演示方法。" if simulated else ""),
        },
        "population": {
            "en": "Invented adults of 18 to 89 years."
            if simulated
            else "Patients of this hospital who answered recommendations.",
            "zh-hans": "虚构的 18 至 89 岁成人。" if simulated else "本院回应过建议的患者。",
        },
        "limits": [
            {
                "en": "What people do with recommendations depends on how they were shown; "
                "the order learns from its own effects.",
                "zh-hans": "人们如何回应建议取决于其呈现方式；排序会从自身影响中学习。",
            },
            {
                "en": "New items have no factors and come last among equally pressing ones.",
                "zh-hans": "新项目没有因子，同等紧急程度下排在最后。",
            },
        ],
        "training_data": list(source),
        "training": {
            **settings,
            "sweeps": SWEEPS,
            "seed": SEED,
            "people": people,
            "framework": f"torch {torch.__version__}",
        },
        "licence": "Apache-2.0",
        "attribution": "MedPortal",
    }


def _figure(figure: Figure) -> dict[str, float | None]:
    """A figure as JSON; NaN becomes null."""
    return {name: None if np.isnan(value) else value for name, value in asdict(figure).items()}


def age_band(age: float | None) -> str:
    """Age band for the fairness table."""
    if age is None:
        return "?"
    return next(name for most, name in ((40, "18-39"), (65, "40-64"), (80, "65-79"), (200, "80+")) if age < most)

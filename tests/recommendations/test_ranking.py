"""Factorisation against the ``implicit`` library, the ranker's exact shares, and training."""

from __future__ import annotations

import itertools
from math import factorial
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares

from apps.inference.package_reader import read_package
from apps.inference.packages.card import PackageRefused
from apps.recommendations.management.commands.train_ranker import bundled
from apps.recommendations.ranking import training
from apps.recommendations.ranking.evaluation import mean_with_interval, ndcg, recall
from apps.recommendations.ranking.factorisation import Factors, Problem, factorise, objective, start
from apps.recommendations.ranking.ranker import FACTORS, Act, Ranker, confidences, order, read_ranker
from apps.recommendations.ranking.simulation import learners
from apps.recommendations.ranking.training import Learner, fit, train

LAMBDA, WIDTH, SWEEPS = 0.05, 8, 4


def matrix(users: int = 120, items: int = 40, *, seed: int = 3) -> sp.csr_matrix:
    """Confidences of what some users wanted, float64."""
    rng = np.random.default_rng(seed)
    stored = sp.random(users, items, density=0.15, random_state=seed, data_rvs=lambda n: rng.integers(1, 6, n) + 1.0)
    return sp.csr_matrix(stored, dtype=np.float64)


def test_the_factors_are_those_of_the_implicit_library() -> None:
    confidence = matrix()
    first = start(*confidence.shape, WIDTH, seed=5, dtype=np.float64)
    ours = factorise(Problem.implicit(confidence, regularisation=LAMBDA), first, sweeps=SWEEPS)
    theirs = AlternatingLeastSquares(
        factors=WIDTH, regularization=2 * LAMBDA, alpha=1.0, dtype=np.float64, use_cg=False, iterations=SWEEPS,
        num_threads=1, random_state=1,
    )  # fmt: skip
    theirs.user_factors, theirs.item_factors = first.users.copy(), first.items.copy()
    theirs.fit(confidence, show_progress=False)
    assert np.abs(ours.users @ ours.items.T - theirs.user_factors @ theirs.item_factors.T).max() < 1e-4
    assert np.abs(ours.users - theirs.user_factors).max() < 1e-4


def test_every_sweep_lowers_what_is_minimised() -> None:
    problem = Problem.implicit(matrix(), regularisation=LAMBDA)
    seen: list[float] = []
    factorise(
        problem,
        start(120, 40, WIDTH, seed=5, dtype=np.float64),
        on_sweep=lambda _n, now: seen.append(objective(problem, now)),
    )
    assert all(later <= before + 1e-9 for before, later in itertools.pairwise(seen))


def test_what_is_minimised_is_the_formula() -> None:
    values = matrix(6, 5)
    factors = start(6, 5, 2, seed=1, dtype=np.float64)
    ones = values.copy()
    ones.data[:] = 1.0
    plain = Problem(values, ones, 1.0, LAMBDA)
    error = values.toarray() - factors.users @ factors.items.T
    wanted = 0.5 * (error**2).sum() + LAMBDA * ((factors.users**2).sum() + (factors.items**2).sum())
    assert objective(plain, factors) == pytest.approx(wanted)


def test_known_factors_are_found_again() -> None:
    rng = np.random.default_rng(2)
    true = Factors(rng.normal(size=(300, 3)), rng.normal(size=(60, 3)))
    there = sp.random(300, 60, density=0.3, random_state=2).tocoo()
    said = np.einsum("nf,nf->n", true.users[there.row], true.items[there.col])
    values = sp.csr_matrix((said, (there.row, there.col)), shape=(300, 60))
    ones = values.copy()
    ones.data[:] = 1.0
    found = factorise(Problem(values, ones, 0.0, 1e-3), start(300, 60, 3, seed=9, dtype=np.float64), sweeps=40)
    error = found.users @ found.items.T - true.users @ true.items.T
    assert np.sqrt((error**2).mean()) < 0.05


def test_rows_without_anything_stay_at_nought_and_an_empty_matrix_is_no_error() -> None:
    confidence = matrix()
    confidence = sp.csr_matrix(sp.vstack([confidence, sp.csr_matrix((1, 40))]))
    found = factorise(Problem.implicit(confidence, regularisation=LAMBDA), start(121, 40, WIDTH, seed=1), sweeps=2)
    assert not found.users[-1].any() and np.isfinite(found.users).all()
    nothing = sp.csr_matrix((5, 4))
    assert not factorise(Problem.implicit(nothing, regularisation=LAMBDA), start(5, 4, 2, seed=1), sweeps=2).users.any()
    with pytest.raises(ValueError, match="factors of"):
        factorise(Problem.implicit(nothing, regularisation=LAMBDA), start(5, 3, 2, seed=1))


@pytest.fixture(scope="module")
def people() -> list[Learner]:
    rules, items = bundled()
    return learners(250, rules, items, seed=4)


@pytest.fixture(scope="module")
def codes() -> list[str]:
    return sorted(bundled()[1])


@pytest.fixture(scope="module")
def ranker(people: list[Learner], codes: list[str]) -> Ranker:
    return fit(people, codes, width=4, regularisation=2.0, unobserved=0.05, trust=2.0)


def test_shares_are_exact_shapley_values(ranker: Ranker, people: list[Learner]) -> None:
    """Compared with the definition, over all coalitions of three features and the history."""
    person = next(one for one in people if len(one.acts) > 3)
    players = ["age", "smoker", "problems", "history"]
    features = {"age": 1.3, "smoker": 1.0, "problems": 0.75}

    def value(coalition: frozenset[str]) -> float:
        known = {name: value for name, value in features.items() if name in coalition}
        history = person.acts if "history" in coalition else ()
        return ranker.scores(known, history)["stop-smoking"].score

    found = ranker.scores(features, person.acts)["stop-smoking"]
    for player in players:
        rest = [one for one in players if one != player]
        share = 0.0
        for size in range(len(players)):
            weight = factorial(size) * factorial(len(players) - size - 1) / factorial(len(players))
            for chosen in itertools.combinations(rest, size):
                share += weight * (value(frozenset({*chosen, player})) - value(frozenset(chosen)))
        assert found.shares[player] == pytest.approx(share, abs=1e-9)
    assert found.base + sum(found.shares.values()) == pytest.approx(found.score, abs=1e-9)


def test_declined_goes_down_and_done_goes_up_and_both_fade(ranker: Ranker) -> None:
    item = "stop-smoking"

    def score(*acts: Act) -> float:
        return ranker.scores({}, acts)[item].score

    assert score(Act(item, "declined", 0)) < score() < score(Act(item, "helpful", 0))
    assert score(Act(item, "helpful", 3000)) < score(Act(item, "helpful", 0))
    assert confidences([Act(item, "done", 0), Act(item, "declined", 0)]) == {item: 8.0}


def test_somebody_with_ten_thousand_events_weighs_as_one(ranker: Ranker) -> None:
    many = [Act(ranker.codes[number % 3], "done", 1.0) for number in range(10_000)]
    few = [Act(code, "done", 1.0) for code in ranker.codes[:3]]
    assert ranker.scores({}, many)[ranker.codes[5]] == ranker.scores({}, few)[ranker.codes[5]]


def test_urgency_first_then_score_with_kinds_mixed() -> None:
    candidates = [
        ("a", "screening", 0, 0.9), ("b", "screening", 0, 0.85), ("c", "screening", 0, 0.8),
        ("d", "vaccination", 0, 0.78), ("e", "treatment", 2, 0.0),
    ]  # fmt: skip
    assert order(candidates)[0] == "e"
    assert order(candidates).index("d") < order(candidates).index("c")
    assert order([]) == []


def test_a_package_is_trained_measured_written_and_read(
    people: list[Learner], codes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "GRID", ((4, 2.0, 0.05, 2.0), (4, 2.0, 1.0, 2.0)))
    card = train(people, codes, tmp_path / "p", version="1.0.0", data="drawn people", how="x", source=["drawn"])
    figures = card["metrics"][0]["values"]
    assert all(one["low"] <= one["value"] <= one["high"] for one in figures.values())
    assert set(card["ranking"]["fairness"]) == {"age", "sex", "language"}
    package = read_package(tmp_path / "p")
    read = read_ranker(package)
    assert read.codes == tuple(codes)
    assert read.scores(people[0].features) == pytest.approx(read.scores(people[0].features))
    with pytest.raises(FileExistsError):
        train(people, codes, tmp_path / "p", version="1.0.0", data="drawn people", how="x", source=["drawn"])
    (tmp_path / "p" / FACTORS).write_bytes(b"nothing")
    with pytest.raises(PackageRefused):
        read_ranker(package)


def test_figures() -> None:
    assert ndcg(["a", "b"], {"a"}) == 1.0 and ndcg(["b", "a"], {"a"}) == pytest.approx(1 / np.log2(3))
    assert recall(["a", "b", "c"], {"c", "a"}, depth=2) == 0.5
    assert np.isnan(ndcg(["a"], set()))
    interval = mean_with_interval(np.array([0.0, 1.0] * 50 + [np.nan]))
    assert interval.low < interval.value == 0.5 < interval.high


def test_learning_beats_popularity_where_there_is_something_to_learn() -> None:
    """On people drawn with tastes; the same figures are on the package's card."""
    rules, items = bundled()
    drawn, all_codes = learners(1200, rules, items, seed=8), sorted(items)
    split = training.by_time(drawn, all_codes)
    learned = fit(split.before, all_codes, width=16, regularisation=4.0, unobserved=0.02, trust=5.0)
    ways = training.orders(split, learned, all_codes)
    gains = {name: float(np.nanmean(training.measure(split, way)[0])) for name, way in ways.items()}
    assert gains["hybrid"] > gains["popularity"] > gains["rules"]

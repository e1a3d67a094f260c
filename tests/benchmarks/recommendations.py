"""Factorisation against the ``implicit`` library, the order against its peers, rules for many patients, pages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta

import numpy as np
import scipy.sparse as sp
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from implicit.cpu.als import AlternatingLeastSquares
from scipy.special import expit
from threadpoolctl import threadpool_limits

from apps.accounts.actors import System
from apps.accounts.models import Role, User
from apps.patients.models import Patient
from apps.patients.portal_account import link_account
from apps.recommendations import catalogue
from apps.recommendations.guidelines.rule_engine import decide
from apps.recommendations.management.commands.train_ranker import bundled
from apps.recommendations.models import CareItem, Recommendation, RecommendationState
from apps.recommendations.ranking import training
from apps.recommendations.ranking.evaluation import mean_with_interval, ndcg, recall
from apps.recommendations.ranking.factorisation import Problem, factorise, start
from apps.recommendations.ranking.features import FEATURES
from apps.recommendations.ranking.ranker import Act
from apps.recommendations.ranking.simulation import simulate_facts
from apps.recommendations.ranking.training import Learner
from tests.benchmarks.table import Row, median_seconds

ACTOR = System("a benchmark")
SIZES = ((10_000, 500, 16, 5), (1_000_000, 5_000, 16, 2))
"""Users, items, factors, sweeps; 1 % filled."""
LAMBDA = 0.05
PEOPLE, ITEMS, TESTED = 10_000, 500, 1_500
PATIENTS = 100_000
SHOWN = 5


def measure() -> Iterator[Row]:
    """After the worklist, which makes the databases."""
    for users, items, factors, sweeps in SIZES:
        yield from _factorising(users, items, factors, sweeps)
    yield from _ordering()
    yield from _deciding()
    yield from _pages()


def _drawn(users: int, items: int, width: int, seed: int) -> tuple[sp.csr_matrix, np.ndarray, np.ndarray]:
    """Confidences drawn from known factors: of a hundred items that each user meets, those liked most."""
    rng = np.random.default_rng(seed)
    true_users = rng.normal(size=(users, width)).astype(np.float32)
    true_items = rng.normal(size=(items, width)).astype(np.float32)
    chosen = max(1, items // 100)
    columns = np.empty((users, chosen), dtype=np.int32)
    for begin in range(0, users, 50_000):
        some = true_users[begin : begin + 50_000]
        met = rng.integers(0, items, (len(some), 4 * chosen))
        liked = np.einsum("uf,unf->un", some, true_items[met])
        best = np.argpartition(-liked, chosen - 1, axis=1)[:, :chosen]
        columns[begin : begin + len(some)] = np.take_along_axis(met, best, axis=1)
    rows = np.repeat(np.arange(users, dtype=np.int32), chosen)
    stored = sp.csr_matrix((np.ones(rows.size, dtype=np.float32), (rows, columns.ravel())), shape=(users, items))
    stored.data[:] = np.minimum(stored.data, 1) * rng.integers(2, 9, stored.nnz)
    return stored, true_users, true_items


def _factorising(users: int, items: int, width: int, sweeps: int) -> Iterator[Row]:
    confidence, true_users, true_items = _drawn(users, items, width, 3)
    first = start(users, items, width, seed=5)
    began = time.perf_counter()
    ours = factorise(Problem.implicit(confidence, regularisation=LAMBDA), first, sweeps=sweeps)
    seconds = time.perf_counter() - began
    peer = AlternatingLeastSquares(
        factors=width, regularization=2 * LAMBDA, alpha=1.0, use_cg=False, iterations=sweeps, random_state=1
    )
    peer.user_factors, peer.item_factors = first.users.copy(), first.items.copy()
    with threadpool_limits(1, "blas"):  # as the library asks for; it has threads of its own
        began = time.perf_counter()
        peer.fit(confidence, show_progress=False)
        peer_seconds = time.perf_counter() - began
    name = f"ALS, {users:,} × {items:,}, 1 % filled, {width} factors, {sweeps} sweeps"
    yield Row(f"{name}, s", f"{seconds:.1f}", f"implicit: {peer_seconds:.1f}", seconds / peer_seconds)
    some = np.random.default_rng(1).integers(0, users, 2000)
    liked = true_users[some] @ true_items.T
    met = [_error(factors, items_of, some, liked) for factors, items_of in
           ((ours.users, ours.items), (peer.user_factors, peer.item_factors))]  # fmt: skip
    yield Row("RMSE of the recovered taste, in spreads of the true one", f"{met[0]:.4f}", f"implicit: {met[1]:.4f}")


def _error(users: np.ndarray, items: np.ndarray, some: np.ndarray, liked: np.ndarray) -> float:
    """Of the scores after the best straight line: scores of implicit feedback have a scale of their own."""
    scores = (users[some] @ items.T).ravel().astype(np.float64)
    true = liked.ravel().astype(np.float64)
    slope, offset = np.polyfit(scores, true, 1)
    return float(np.sqrt(np.mean((slope * scores + offset - true) ** 2)) / true.std())


def people() -> tuple[list[Learner], list[str]]:
    """People with features and tastes: rules allow each sixty of 500 items, thirty were answered in three years."""
    rng = np.random.default_rng(17)
    codes = [f"item-{number:03}" for number in range(ITEMS)]
    items, liked = rng.standard_normal((ITEMS, 8)) * 0.8, rng.standard_normal(ITEMS) * 0.7
    follows = rng.standard_normal((len(FEATURES), 8)) * 0.9
    features = rng.random((PEOPLE, len(FEATURES)))
    tastes = np.tanh((features - 0.5) @ follows) * 1.5 + rng.standard_normal((PEOPLE, 8)) * 0.8
    exposed = expit(liked) / expit(liked).sum()
    found = []
    for row in range(PEOPLE):
        allowed = rng.choice(ITEMS, 60, replace=False, p=exposed)
        offered = allowed[rng.permutation(60)[:30]]
        wishes = expit(items[offered] @ tastes[row] + liked[offered])
        days = np.sort(rng.integers(0, 1000, 30))[::-1]
        acts = tuple(
            Act(codes[item], "done" if rng.random() < wish else "declined", float(day))
            for item, wish, day in zip(offered, wishes, days, strict=True)
        )
        left = tuple(sorted(codes[item] for item in allowed))
        found.append(Learner(dict(zip(FEATURES, features[row], strict=True)), acts, left, {}))
    return found, codes


def _ordering() -> Iterator[Row]:
    drawn, codes = people()
    split = training.by_time(drawn, codes)
    ranker = training.fit(split.before, codes, width=16, regularisation=4.0, unobserved=0.02, trust=5.0)
    ways = training.orders(split, ranker, codes)
    figures = {}
    for name, way in ways.items():
        ranked = [way(split.before[row], split.left[row]) for row in range(TESTED)]
        figures[name] = [
            mean_with_interval(np.array([figure(one, split.later[row]) for row, one in enumerate(ranked)]))
            for figure in (ndcg, recall)
        ]
    for number, what in enumerate(("nDCG@10", "recall@10")):
        said = "; ".join(f"{name}: {values[number].value:.3f}" for name, values in figures.items() if name != "hybrid")
        ours = figures["hybrid"][number]
        name = f"{what} of the order, {PEOPLE:,} × {ITEMS}, temporal split"
        ratio = ours.value / figures["popularity"][number].value
        yield Row(name, f"{ours.value:.3f} ({ours.low:.3f} to {ours.high:.3f})", said, ratio)


def _decided(seed: int) -> int:
    rules, items = bundled()
    rng = np.random.default_rng(seed)
    return sum(len(decide(simulate_facts(rng), rules, items).decisions) for _ in range(PATIENTS // 20))


def _deciding() -> Iterator[Row]:
    rules, _items = bundled()
    began = time.perf_counter()
    with ProcessPoolExecutor() as pool:
        decisions = sum(pool.map(_decided, range(20)))
    seconds = time.perf_counter() - began
    yield Row(f"{len(rules)} rules for {PATIENTS:,} patients, s", f"{seconds:.0f}", f"{decisions:,} decisions")


def _pages() -> Iterator[Row]:
    doctor = User.objects.get(username="bench")
    patient = Patient.objects.filter(care_teams__members=doctor, portal_user=None).first()
    assert patient is not None
    catalogue.load(catalogue.bundled(), actor=ACTOR)
    user, _created = User.objects.get_or_create(username="bench-patient", defaults={"role": Role.PATIENT})
    link_account(patient, user, actor=ACTOR)
    for place, item in enumerate(CareItem.objects.filter(clinicians_only=False)[:SHOWN]):
        row = Recommendation(patient=patient, item=item, state=RecommendationState.RELEASED, position=place)
        row.due, row.released_by, row.released_at = timezone.localdate() + timedelta(days=30), doctor, timezone.now()
        row.why, row.words = {"grounds": []}, {}
        row.save()
    client, staff = Client(), Client()
    client.force_login(user)
    staff.force_login(doctor)
    for name, browser, url in (
        ("the patient's start page", client, reverse("portal:patient")),
        ("the patient's record page", client, reverse("portal:patient-record")),
        ("the review queue", staff, reverse("recommendations:queue") + "?tab=out"),
    ):
        milliseconds = 1000 * median_seconds(lambda browser=browser, url=url: browser.get(url))  # type: ignore[misc]
        yield Row(f"{name}, ms", f"{milliseconds:.0f}", "limit: 100", milliseconds / 100)

"""Simulated people and their responses to recommendations: training data until a hospital has its own.

Each person has facts, the set of items that the real rules allow, and latent preferences that depend partly on the
facts and partly are individual. Responses depend on preferences and item, so that there is a signal to learn and
the ground truth is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from apps.recommendations.guidelines.expressions import Facts
from apps.recommendations.guidelines.rule_engine import Item, Rule, decide
from apps.recommendations.ranking.features import FEATURES, features_of
from apps.recommendations.ranking.ranker import Act
from apps.recommendations.ranking.training import Learner, age_band

Values = npt.NDArray[np.float64]
TASTES = 6
DAYS = 1000
PROBLEMS = {"I10": 0.3, "E11.9": 0.12, "J45.909": 0.08, "J44.9": 0.06, "I50.9": 0.05, "F32.A": 0.08, "C50.919": 0.02,
            "M81.0": 0.06, "J18.9": 0.05, "F17.200": 0.18, "N18.30": 0.05}  # fmt: skip
DRUGS = ("metformin", "lisinopril", "amlodipine", "atorvastatin", "ibuprofen", "omeprazole", "aspirin", "furosemide")


@dataclass(frozen=True)
class Person:
    """A simulated person.

    Attributes:
        language: for the fairness table only; not a feature of the ranker.
        allowed: codes of items that the rules propose.
        acts: (day of DAYS, response).
    """

    facts: Facts
    features: dict[str, float]
    language: str
    allowed: tuple[str, ...]
    acts: tuple[tuple[int, Act], ...]


def people(count: int, rules: Sequence[Rule], items: Mapping[str, Item], *, seed: int) -> list[Person]:
    """Simulate people; those for whom the rules propose nothing are redrawn."""
    rng = np.random.default_rng(seed)
    codes = sorted(items)
    tastes_of_items = rng.standard_normal((len(codes), TASTES)) * 1.2
    liked = rng.standard_normal(len(codes)) * 0.7
    follows = rng.standard_normal((len(FEATURES), TASTES)) * 0.7
    drawn: list[Person] = []
    while len(drawn) < count:
        facts = simulate_facts(rng)
        verdict = decide(facts, rules, items)
        allowed = tuple(decision.item for decision in verdict.decisions if decision.proposed)
        if not allowed:
            continue
        features = features_of(facts)
        known = np.array([features.get(name, 0.5) for name in FEATURES]) - 0.5
        # One part of the preferences is a nonlinear function of the facts, an equal part is individual.
        taste = np.tanh(known @ follows) * 1.5 + rng.standard_normal(TASTES) * 0.8
        acts = _acts(rng, codes, allowed, tastes_of_items, liked, taste)
        drawn.append(Person(facts, features, "zh-hans" if rng.random() < 0.3 else "en", allowed, acts))
    return drawn


def simulate_facts(rng: np.random.Generator) -> Facts:
    """Simulate the facts of an adult."""
    age = int(rng.integers(18, 90))
    older = 0.4 + age / 60
    problems = [code for code, share in PROBLEMS.items() if rng.random() < share * older]
    facts: Facts = {
        "age": age,
        "sex": "female" if rng.random() < 0.52 else "male",
        "problems": problems,
        "allergies": [],
        "medications": [drug for drug in DRUGS if rng.random() < 0.1 * older],
        "bmi": round(float(rng.normal(26, 4.5)), 1),
        "observations": [],
        "findings": [],
    }
    if "F17.200" in problems:
        facts |= {"smoker": True, "packYears": float(rng.integers(2, 50))}
    elif rng.random() < 0.7:
        facts["smoker"] = False
    return facts


def _acts(
    rng: np.random.Generator,
    codes: Sequence[str],
    allowed: Sequence[str],
    tastes: Values,
    liked: Values,
    taste: Values,
) -> tuple[tuple[int, Act], ...]:
    responses = []
    for code in allowed:
        if rng.random() < 0.15:  # never answered
            continue
        index = codes.index(code)
        probability = float(expit(tastes[index] @ taste + liked[index]))
        day = int(rng.integers(0, DAYS))
        if rng.random() < probability:
            act = ("accepted", "done", "helpful")[int(rng.choice(3, p=(0.4, 0.4, 0.2)))]
        else:
            act = "declined"
        responses.append((day, Act(code, act, float(DAYS - day))))
    return tuple(sorted(responses, key=lambda row: row[0]))


def learners(count: int, rules: Sequence[Rule], items: Mapping[str, Item], *, seed: int) -> list[Learner]:
    """Simulated people as training examples."""
    return [
        Learner(
            person.features,
            tuple(act for _day, act in person.acts),
            person.allowed,
            {"age": age_band(person.facts["age"]), "sex": person.facts["sex"], "language": person.language},
        )
        for person in people(count, rules, items, seed=seed)
    ]

"""The ranker's features: few and coarse, derived from the same facts as the rules' conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.recommendations.guidelines.expressions import Facts

GROUPS = {
    "diabetes": ("E10", "E11", "E13"),
    "hypertension": ("I10", "I11", "I12", "I13"),
    "heart": ("I2", "I48", "I50"),
    "lung": ("J4", "J84"),
    "cancer": ("C",),
    "mental": ("F3", "F4"),
    "infection": ("J1", "A4"),
}
"""Problem groups by ICD-10-CM code prefix."""


def features_of(facts: Facts) -> dict[str, float]:
    """Feature values by name; unknown ones are absent."""
    features: dict[str, float] = {}
    for name, make in _MAKERS.items():
        value = make(facts)
        if value is not None:
            features[name] = float(value)
    return features


def _age(facts: Facts, power: int) -> float | None:
    return None if facts.get("age") is None else (facts["age"] / 50) ** power


def _has(facts: Facts, prefixes: tuple[str, ...]) -> float | None:
    if "problems" not in facts:
        return None
    return float(any(str(code).startswith(prefixes) for code in facts["problems"]))


def _count(facts: Facts, name: str) -> float | None:
    return None if name not in facts else min(len(facts[name]), 12) / 4


def _maker(prefixes: tuple[str, ...]) -> Callable[[Facts], Any]:
    return lambda facts: _has(facts, prefixes)


_MAKERS: dict[str, Callable[[Facts], Any]] = {
    "age": lambda facts: _age(facts, 1),
    "age_squared": lambda facts: _age(facts, 2),
    "female": lambda facts: None if facts.get("sex") not in ("female", "male") else facts["sex"] == "female",
    "smoker": lambda facts: facts.get("smoker"),
    "problems": lambda facts: _count(facts, "problems"),
    "medications": lambda facts: _count(facts, "medications"),
    **{name: _maker(prefixes) for name, prefixes in GROUPS.items()},
}
FEATURES = tuple(_MAKERS)

"""Explanations with fewer evaluations than in life, unless a test measures how good they become."""

from __future__ import annotations

import pytest

from apps.explainability.evaluation_budget import EVALUATIONS
from apps.explainability.models import Method


@pytest.fixture(autouse=True)
def few_evaluations(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of the time: pictures, pages, releases and records do not need all of them."""
    monkeypatch.setitem(EVALUATIONS, Method.SAMPLED, 128)
    monkeypatch.setitem(EVALUATIONS, Method.PARTITION, 64)
    monkeypatch.setitem(EVALUATIONS, Method.GRADIENT, 64)

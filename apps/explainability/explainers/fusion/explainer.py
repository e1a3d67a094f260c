"""Explainer ``fusion``: exact Shapley values of the sources of a fused risk."""

from __future__ import annotations

from apps.explainability.explainers.registry import Explainer

EXPLAINER = Explainer(name="fusion")

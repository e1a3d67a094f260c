"""Explainer ``timeseries``: SHAP over variables and intervals of an ICU stay."""

from __future__ import annotations

from apps.explainability.explainers.registry import Explainer

EXPLAINER = Explainer(name="timeseries")

"""SHAP over variables and hours of a stay."""

from __future__ import annotations

from apps.explainability.explainers.registry import Explainer

EXPLAINER = Explainer(name="timeseries")

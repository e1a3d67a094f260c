"""Explainer ``tabular``: SHAP for tabular models."""

from __future__ import annotations

from apps.explainability.explainers.registry import Explainer

EXPLAINER = Explainer(name="tabular", answer="apps.explainability.explainers.tabular.answering:answer_row")

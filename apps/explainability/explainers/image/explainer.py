"""Explainer ``image``: SHAP over regions of images and volumes."""

from __future__ import annotations

from apps.explainability.explainers.registry import Explainer

EXPLAINER = Explainer(name="image")

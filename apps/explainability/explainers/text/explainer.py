"""Explainer ``text``: SHAP of the words of a text."""

from __future__ import annotations

from apps.explainability.explainers.registry import Explainer

EXPLAINER = Explainer(name="text", answer="apps.explainability.explainers.text.answering:answer_text")

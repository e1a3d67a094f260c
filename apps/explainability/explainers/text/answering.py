"""Prediction and explanation of a text, as JSON."""

from __future__ import annotations

from typing import Any

from apps.explainability.explainers.text.shap_words import explain
from apps.inference.engines.texts import text_model
from apps.inference.packages.card import Package


def answer_text(package: Package, inputs: dict[str, Any]) -> dict[str, Any]:
    """Predict and explain a text.

    Args:
        inputs: ``{"text": str}``.
    """
    explanation = explain(text_model(package).probabilities, inputs["text"])
    codes = [label["code"] for label in package.card["labels"]]
    return {
        "outputs": dict(zip(codes, explanation.output.tolist(), strict=True)),
        "bases": dict(zip(codes, explanation.base.tolist(), strict=True)),
        "gaps": dict(zip(codes, explanation.gaps.tolist(), strict=True)),
        "units": [{"text": unit.text, "negated": unit.negated} for unit in explanation.units],
        "values": {code: values.tolist() for code, values in zip(codes, explanation.values, strict=True)},
        "sentences": [
            {"text": sentence, "values": dict(zip(codes, values.tolist(), strict=True))}
            for sentence, values in explanation.by_sentence()
        ],
        "evaluations": explanation.evaluations,
    }

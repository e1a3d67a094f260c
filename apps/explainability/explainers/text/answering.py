"""The answer to a text with its explanation, as JSON for a page or a program."""

from __future__ import annotations

from typing import Any

from apps.explainability.explainers.text.shap_words import explain
from apps.inference.engines.texts import text_model
from apps.inference.packages.card import Package


def answer_text(package: Package, given: dict[str, Any]) -> dict[str, Any]:
    """Answer and explain a text.

    Args:
        given: ``{"text": str}``.
    """
    found = explain(text_model(package).probabilities, given["text"])
    codes = [label["code"] for label in package.card["labels"]]
    return {
        "outputs": dict(zip(codes, found.output.tolist(), strict=True)),
        "bases": dict(zip(codes, found.base.tolist(), strict=True)),
        "gaps": dict(zip(codes, found.gaps.tolist(), strict=True)),
        "units": [{"text": unit.text, "negated": unit.negated} for unit in found.units],
        "values": {code: values.tolist() for code, values in zip(codes, found.values, strict=True)},
        "sentences": [
            {"text": sentence, "values": dict(zip(codes, values.tolist(), strict=True))}
            for sentence, values in found.by_sentence()
        ],
        "evaluations": found.evaluations,
    }

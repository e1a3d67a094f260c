"""Prediction and explanation of a row, as JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from apps.explainability.explainers.tabular.shap_rows import cohort, explain
from apps.inference.engines.runtime_cache import RuntimeCache
from apps.inference.engines.tables import TableModel, table_model
from apps.inference.packages.card import Package


def answer_row(package: Package, inputs: dict[str, Any]) -> dict[str, Any]:
    """Predict and explain a row.

    Args:
        inputs: ``{"row": {feature: number}}``.
    """
    model, values = _with_cohort(package)
    codes = [feature["code"] for feature in package.card["features"]]
    groups: dict[str, list[int]] = {}
    for index, feature in enumerate(package.card["features"]):
        groups.setdefault(feature["group"], []).append(index)
    row = np.array([float(inputs["row"][code]) for code in codes])
    explanation = explain(model, row, groups)
    along = explanation.path_values
    return {
        "output": explanation.output,
        "base": explanation.base,
        "gap": explanation.gap,
        "values": dict(zip(codes, explanation.values.tolist(), strict=True)),
        "path_base": explanation.path_base,
        "path_values": {} if along is None else dict(zip(codes, along.tolist(), strict=True)),
        "how": explanation.how,
        "groups": explanation.group_values,
        "cohort": {
            "rows": np.round(model.background, 4).tolist(),
            "values": np.round(values, 4).tolist(),
            "outputs": np.round(model.predict(model.background), 3).tolist(),
        },
    }


def _load_with_cohort(package: Package) -> tuple[TableModel, np.ndarray]:
    model = table_model(package)
    return model, cohort(model)


_with_cohort = RuntimeCache(_load_with_cohort)
"""The model with the attributions of its background rows."""

"""The answer to a row with its explanation, as JSON for a page or a program."""

from __future__ import annotations

from typing import Any

import numpy as np

from apps.explainability.explainers.tabular.shap_rows import cohort, explain
from apps.inference.engines.runtime_cache import RuntimeCache
from apps.inference.engines.tables import TableModel, table_model
from apps.inference.packages.card import Package


def answer_row(package: Package, given: dict[str, Any]) -> dict[str, Any]:
    """Answer and explain a row.

    Args:
        given: ``{"row": {feature: number}}``.
    """
    model, values = _with_cohort(package)
    codes = [feature["code"] for feature in package.card["features"]]
    groups: dict[str, list[int]] = {}
    for place, feature in enumerate(package.card["features"]):
        groups.setdefault(feature["group"], []).append(place)
    row = np.array([float(given["row"][code]) for code in codes])
    found = explain(model, row, groups)
    along = found.path_values
    return {
        "output": found.output,
        "base": found.base,
        "gap": found.gap,
        "values": dict(zip(codes, found.values.tolist(), strict=True)),
        "path_base": found.path_base,
        "path_values": {} if along is None else dict(zip(codes, along.tolist(), strict=True)),
        "how": found.how,
        "groups": found.group_values,
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
"""The model with the explanations of its background rows."""

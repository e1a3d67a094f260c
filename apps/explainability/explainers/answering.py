"""The answer of a table or text package with its explanation, as JSON for a page or a program."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from apps.explainability.explainers import tabular, text
from apps.inference.engines.runtime_cache import Box
from apps.inference.engines.tables import TableModel, table_model
from apps.inference.engines.texts import text_model
from apps.inference.packages.card import TABLES, TEXTS, Package

Answer = dict[str, Any]


def answer(package: Package, given: dict[str, Any]) -> Answer:
    """Answer and explain.

    Args:
        given: ``{"row": {feature: number}}`` or ``{"text": str}``.

    Raises:
        ValueError: for a package of another task.
    """
    if package.task == TABLES:
        return _row(package, given["row"])
    if package.task == TEXTS:
        return _text(package, given["text"])
    raise ValueError(f"{package.name} reads neither rows nor texts")


def _row(package: Package, given: dict[str, float]) -> Answer:
    model, values = _loaded(package.digest, Box(package))
    codes = [feature["code"] for feature in package.card["features"]]
    groups: dict[str, list[int]] = {}
    for place, feature in enumerate(package.card["features"]):
        groups.setdefault(feature["group"], []).append(place)
    row = np.array([float(given[code]) for code in codes])
    found = tabular.explain(model, row, groups)
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


def _text(package: Package, given: str) -> Answer:
    found = text.explain(text_model(package).probabilities, given)
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


@lru_cache(maxsize=4)
def _loaded(digest: str, box: Box) -> tuple[TableModel, np.ndarray]:
    model = table_model(box.package)
    return model, tabular.cohort(model)

"""Exact SHAP for trees (TreeSHAP; Lundberg et al., Nature Machine Intelligence 2020).

Interventional values compare a row with each background row; path-dependent ones with the training rows that
took the same turns. Both are exact for their question. Groups of values (where they come from) are explained
as parts of their own, since interactions within a group belong to the group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shap

from apps.explainability.explainers import parts
from apps.inference.runtimes.trees import LEAF, Trees

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RowExplanation:
    """A row's attributions in the target's unit.

    Attributes:
        values: (features,) interventional.
        path_values: (features,) path-dependent.
        group_values: by group, exact over the groups.
        base, path_base: the answers they start from.
        output: the answer.
    """

    values: Values
    path_values: Values
    group_values: dict[str, float]
    base: float
    path_base: float
    output: float

    @property
    def gap(self) -> float:
        """Base value and attributions less the output."""
        return float(self.base + self.values.sum() - self.output)


def explain(trees: Trees, row: Values, groups: dict[str, list[int]]) -> RowExplanation:
    """Explain one row, (features,).

    Args:
        groups: by code the places of its features.
    """
    against = shap.TreeExplainer(_as_shap(trees), data=trees.background, feature_perturbation="interventional")
    along = shap.TreeExplainer(_as_shap(trees), feature_perturbation="tree_path_dependent")
    given = row[None]
    return RowExplanation(
        values=np.asarray(against.shap_values(given, check_additivity=False))[0],
        path_values=np.asarray(along.shap_values(given, check_additivity=False))[0],
        group_values=_groups(trees, row, groups),
        base=float(trees.predict(trees.background).mean()),
        path_base=float(np.ravel(along.expected_value)[0]),
        output=float(trees.predict(given)[0]),
    )


def cohort(trees: Trees) -> Values:
    """(rows, features) interventional attributions of the background rows: how values act on many."""
    explainer = shap.TreeExplainer(_as_shap(trees), data=trees.background, feature_perturbation="interventional")
    return np.asarray(explainer.shap_values(trees.background, check_additivity=False))


def _groups(trees: Trees, row: Values, groups: dict[str, list[int]]) -> dict[str, float]:
    codes = list(groups)

    def earnings(coalitions: npt.NDArray[np.bool_]) -> Values:
        answers = []
        for coalition in coalitions:
            rows = trees.background.copy()
            seen = [place for code, there in zip(codes, coalition, strict=True) if there for place in groups[code]]
            rows[:, seen] = row[seen]
            answers.append(trees.predict(rows).mean())
        return np.array(answers)

    values, _nobody, _all = parts.shapley(earnings, len(codes))
    return dict(zip(codes, values.tolist(), strict=True))


def _as_shap(trees: Trees) -> dict[str, Any]:
    """The trees as the ``shap`` library takes them from strangers."""
    own = [
        {
            "children_left": trees.left[number],
            "children_right": trees.right[number],
            "children_default": trees.left[number],
            "features": np.where(trees.left[number] == LEAF, -2, trees.feature[number]),
            "thresholds": trees.threshold[number],
            "values": trees.value[number][:, None],
            "node_sample_weight": trees.weight[number],
        }
        for number in range(len(trees.left))
    ]
    return {
        "trees": own,
        "base_offset": float(trees.offset[0]),
        "tree_output": "raw_value",
        "objective": "squared_error",
        "input_dtype": np.float64,
        "internal_dtype": np.float64,
    }

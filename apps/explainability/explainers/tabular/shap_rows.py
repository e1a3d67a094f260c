"""SHAP for tabular models: TreeSHAP (Lundberg et al., Nature Machine Intelligence 2020) and model-agnostic methods.

Interventional values compare a row with each background row; path-dependent ones with the training rows that followed
the same paths. Both are exact for their definition. For models other than trees all coalitions of features are
evaluated, or, if there are too many, permutations in forward and reverse order (Strumbelj and Kononenko 2014; Mitchell
et al., JMLR 2022), whose values also satisfy efficiency. Groups of features are players of a game of their own, since
interactions within a group belong to the group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shap

from apps.explainability.explainers.fusion import shapley
from apps.inference.engines.tables import TableModel
from apps.inference.engines.tree_table.trees import LEAF, Trees

Values = npt.NDArray[np.float64]
MAX_EXACT = 10
"""Maximum number of features for exact values: 1,024 coalitions times the background rows."""
ROUNDS = 20


@dataclass(frozen=True)
class RowExplanation:
    """A row's attributions in the target's unit.

    Attributes:
        values: (features,) interventional.
        path_values: (features,) path-dependent; None for models other than trees.
        group_values: by group, exact over the groups.
        base, path_base: base values.
        output: the model's output.
        how: ``trees``, ``exact`` or ``permutations``.
    """

    values: Values
    path_values: Values | None
    group_values: dict[str, float]
    base: float
    path_base: float
    output: float
    how: str = "trees"

    @property
    def gap(self) -> float:
        """Efficiency gap: base value plus attributions minus output."""
        return float(self.base + self.values.sum() - self.output)


def explain(model: TableModel, row: Values, groups: dict[str, list[int]]) -> RowExplanation:
    """Explain one row, (features,).

    Args:
        groups: feature indices by group code.
    """
    return _by_trees(model, row, groups) if isinstance(model, Trees) else _model_agnostic(model, row, groups)


def _by_trees(trees: Trees, row: Values, groups: dict[str, list[int]]) -> RowExplanation:
    against = shap.TreeExplainer(_as_shap(trees), data=trees.background, feature_perturbation="interventional")
    along = shap.TreeExplainer(_as_shap(trees), feature_perturbation="tree_path_dependent")
    rows = row[None]
    return RowExplanation(
        values=np.asarray(against.shap_values(rows, check_additivity=False))[0],
        path_values=np.asarray(along.shap_values(rows, check_additivity=False))[0],
        group_values=_groups(trees, row, groups),
        base=float(trees.predict(trees.background).mean()),
        path_base=float(np.ravel(along.expected_value)[0]),
        output=float(trees.predict(rows)[0]),
    )


def _model_agnostic(model: TableModel, row: Values, groups: dict[str, list[int]]) -> RowExplanation:
    exact = len(row) <= MAX_EXACT
    if exact:
        values, _nobody, _all = shapley.shapley(lambda who: _mixed(model, row, who), len(row))
    else:
        values = _permuted(model, row[None], rounds=ROUNDS)[0]
    return RowExplanation(
        values=values,
        path_values=None,
        group_values=_groups(model, row, groups),
        base=float(model.predict(model.background).mean()),
        path_base=0.0,
        output=float(model.predict(row[None])[0]),
        how="exact" if exact else "permutations",
    )


def cohort(model: TableModel) -> Values:
    """Interventional attributions (rows, features) of the background rows, for cohort plots."""
    if not isinstance(model, Trees):
        return _permuted(model, model.background, rounds=1)
    explainer = shap.TreeExplainer(_as_shap(model), data=model.background, feature_perturbation="interventional")
    return np.asarray(explainer.shap_values(model.background, check_additivity=False))


def _permuted(model: TableModel, rows: Values, *, rounds: int) -> Values:
    masker = shap.maskers.Independent(model.background, max_samples=len(model.background))
    explainer = shap.PermutationExplainer(model.predict, masker, seed=0)
    evaluations = rounds * (2 * rows.shape[1] + 1)
    return np.asarray(explainer(rows, max_evals=evaluations, silent=True).values)


def _mixed(model: TableModel, row: Values, coalitions: npt.NDArray[np.bool_]) -> Values:
    """Mean outputs (n,) for coalitions (n, features): members from the row, others from the background rows."""
    return np.array([model.predict(np.where(who, row, model.background)).mean() for who in coalitions])


def _groups(model: TableModel, row: Values, groups: dict[str, list[int]]) -> dict[str, float]:
    codes = list(groups)

    members = np.zeros((len(codes), len(row)), dtype=bool)
    for number, code in enumerate(codes):
        members[number, groups[code]] = True
    values, _nobody, _all = shapley.shapley(lambda who: _mixed(model, row, who @ members), len(codes))
    return dict(zip(codes, values.tolist(), strict=True))


def _as_shap(trees: Trees) -> dict[str, Any]:
    """The trees in the dictionary format that the ``shap`` library accepts."""
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

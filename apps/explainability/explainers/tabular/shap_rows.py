"""SHAP for models of rows: exact for trees (TreeSHAP; Lundberg et al., Nature Machine Intelligence 2020) and others.

Interventional values compare a row with each background row; path-dependent ones with the training rows that
took the same turns. Both are exact for their question. Of a model that is no forest all coalitions of values are
asked for, or, where they are too many, permutations there and back (Strumbelj and Kononenko 2014; Mitchell et al.,
JMLR 2022), whose values add up too. Groups of values (where they come from) are explained
as parts of their own, since interactions within a group belong to the group.
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
MOST_EXACT = 10
"""Features of which all coalitions are asked for: 1,024 times the background's rows."""
ROUNDS = 20


@dataclass(frozen=True)
class RowExplanation:
    """A row's attributions in the target's unit.

    Attributes:
        values: (features,) interventional.
        path_values: (features,) path-dependent; None for what is no forest.
        group_values: by group, exact over the groups.
        base, path_base: the answers they start from.
        output: the answer.
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
        """Base value and attributions less the output."""
        return float(self.base + self.values.sum() - self.output)


def explain(model: TableModel, row: Values, groups: dict[str, list[int]]) -> RowExplanation:
    """Explain one row, (features,).

    Args:
        groups: by code the places of its features.
    """
    return _by_trees(model, row, groups) if isinstance(model, Trees) else _by_asking(model, row, groups)


def _by_trees(trees: Trees, row: Values, groups: dict[str, list[int]]) -> RowExplanation:
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


def _by_asking(model: TableModel, row: Values, groups: dict[str, list[int]]) -> RowExplanation:
    exact = len(row) <= MOST_EXACT
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
    """(rows, features) interventional attributions of the background rows: how values act on many."""
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
    """(coalitions,) mean answers if those of (coalitions, features) are the row's and the others the background's."""
    return np.array([model.predict(np.where(who, row, model.background)).mean() for who in coalitions])


def _groups(model: TableModel, row: Values, groups: dict[str, list[int]]) -> dict[str, float]:
    codes = list(groups)

    members = np.zeros((len(codes), len(row)), dtype=bool)
    for number, code in enumerate(codes):
        members[number, groups[code]] = True
    values, _nobody, _all = shapley.shapley(lambda who: _mixed(model, row, who @ members), len(codes))
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

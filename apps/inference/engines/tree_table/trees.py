"""Gradient-boosted trees stored as arrays, never as pickles: runtime ``trees``, and part of ``stays``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from apps.inference.packages.card import Package, PackageRefused

TREES = "trees.safetensors"
LEAF = -1
BLOCK = 256
"""Rows evaluated together, so that their node indices fit the CPU cache."""
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trees:
    """An additive ensemble of binary trees.

    Attributes:
        left, right: (trees, nodes) int32 child indices; LEAF at leaves and in padding.
        feature: (trees, nodes) int32 feature index of a split.
        threshold: (trees, nodes) split goes left if value <= threshold.
        value: (trees, nodes) output of a leaf.
        weight: (trees, nodes) number of training rows per node.
        offset: (1,) base value.
        background: (rows, features) background sample for explanations.
        unknown: (trees, nodes) whether missing values go left; None if missing values are not supported.
    """

    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    threshold: Values
    value: Values
    weight: Values
    offset: Values
    background: Values
    unknown: npt.NDArray[np.bool_] | None = None

    def predict(self, rows: npt.NDArray[np.floating]) -> Values:
        """Outputs (n,) for rows (n, features)."""
        parts = [self._leaves(rows[start : start + BLOCK]).sum(axis=1) for start in range(0, len(rows), BLOCK)]
        return float(self.offset[0]) + np.concatenate([np.zeros(0), *parts])

    def _leaves(self, rows: npt.NDArray[np.floating]) -> Values:
        """Leaf values (n, trees): all rows descend all trees one level at a time."""
        trees = np.arange(len(self.left))[None]
        numbers = np.arange(len(rows))[:, None]
        at = np.zeros((len(rows), len(self.left)), dtype=np.int32)
        while (inner := (left := self.left[trees, at]) != LEAF).any():
            values = rows[numbers, self.feature[trees, at]]
            lower = values <= self.threshold[trees, at]
            if self.unknown is not None:
                lower |= np.isnan(values) & self.unknown[trees, at]
            at = np.where(inner, np.where(lower, left, self.right[trees, at]), at)
        return np.asarray(self.value[trees, at], dtype=np.float64)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The stored arrays by name."""
        stored = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: np.ascontiguousarray(array) for name, array in stored.items() if array is not None}

    def write(self, path: Path) -> None:
        """Write the arrays as safetensors."""
        save_file(self.arrays(), path)


def read_trees(package: Package) -> Trees:
    """Load the trees of a package.

    Raises:
        PackageRefused: if the file has no valid trees or does not match the card.
    """
    try:
        trees = Trees(**load_file(package.folder / TREES))
    except (SafetensorError, TypeError, OSError) as error:
        raise PackageRefused(f"{package.name} {package.version}: {TREES} holds no trees") from error
    if not is_well_formed(trees, len(package.card["features"])) or trees.background.shape[1] != len(
        package.card["features"]
    ):
        raise PackageRefused(f"{package.name} {package.version}: the trees do not fit the card")
    return trees


def is_well_formed(trees: Trees, features: int) -> bool:
    """Whether all child and feature indices are valid and every path ends at a leaf."""
    if any(array.shape != trees.left.shape for array in (trees.right, trees.feature, trees.threshold, trees.value)):
        return False
    inner = trees.left != LEAF
    children = np.concatenate([trees.left[inner], trees.right[inner]])
    parents = np.concatenate([np.nonzero(inner)[1]] * 2)
    within = (children > parents).all() and (children < trees.left.shape[1]).all()
    return bool(within and ((trees.feature[inner] >= 0) & (trees.feature[inner] < features)).all())


def from_sklearn(booster: Any, background: Values) -> Trees:
    """Convert a fitted ``GradientBoostingRegressor``."""
    own = [estimator.tree_ for estimator in booster.estimators_[:, 0]]
    nodes = max(tree.node_count for tree in own)

    def stacked(name: str, fill: float, dtype: Any) -> Any:
        table = np.full((len(own), nodes), fill, dtype=dtype)
        for number, tree in enumerate(own):
            table[number, : tree.node_count] = getattr(tree, name).reshape(-1)
        return table

    return Trees(
        left=stacked("children_left", LEAF, np.int32),
        right=stacked("children_right", LEAF, np.int32),
        feature=stacked("feature", 0, np.int32),
        threshold=stacked("threshold", 0, np.float64),
        value=booster.learning_rate * stacked("value", 0, np.float64),
        weight=stacked("weighted_n_node_samples", 0, np.float64),
        offset=np.array([float(booster.init_.constant_.reshape(-1)[0])]),
        background=background,
    )


def from_histogram(booster: Any, columns: npt.NDArray[np.integer], features: int) -> Trees:
    """Convert a fitted binary ``HistGradientBoostingClassifier``; outputs are log-odds.

    Args:
        columns: indices of the features it was fitted on.
        features: total number of features.
    """
    own = [stage[0].nodes for stage in booster._predictors]
    nodes = max(len(tree) for tree in own)

    def stacked(name: str, fill: float, dtype: Any) -> Any:
        table = np.full((len(own), nodes), fill, dtype=dtype)
        for number, tree in enumerate(own):
            column = tree[name]
            if name in ("left", "right"):
                column = np.where(tree["is_leaf"], LEAF, column.astype(np.int64))
            if name == "feature_idx":
                column = columns[column]
            if name == "value":
                column = np.where(tree["is_leaf"], column, 0.0)
            table[number, : len(tree)] = column
        return table

    return Trees(
        left=stacked("left", LEAF, np.int32),
        right=stacked("right", LEAF, np.int32),
        feature=stacked("feature_idx", 0, np.int32),
        threshold=stacked("num_threshold", 0, np.float32),
        value=stacked("value", 0, np.float32),
        weight=stacked("count", 0, np.float32),
        offset=np.ravel(booster._baseline_prediction).astype(np.float64),
        background=np.zeros((0, features)),
        unknown=stacked("missing_go_to_left", 0, np.bool_),
    )

"""Gradient-boosted trees stored as arrays, never as pickles: the runtime ``trees``, and a part of ``stays``."""

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
"""Rows that go down the trees together: their places fit a processor's cache."""
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trees:
    """A sum of binary trees over an offset.

    Attributes:
        left, right: (trees, nodes) int32 children; LEAF at leaves and behind a tree's last node.
        feature: (trees, nodes) int32 what a node asks.
        threshold: (trees, nodes): to the left if the value is not larger.
        value: (trees, nodes) what a leaf adds.
        weight: (trees, nodes) how many training rows came by.
        offset: (1,).
        background: (rows, features) typical rows: against them a row is explained.
        unknown: (trees, nodes) whether a missing value goes to the left; None where the trees know no missing values.
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
        """(n,) answers to (n, features) rows."""
        parts = [self._leaves(rows[start : start + BLOCK]).sum(axis=1) for start in range(0, len(rows), BLOCK)]
        return float(self.offset[0]) + np.concatenate([np.zeros(0), *parts])

    def _leaves(self, rows: npt.NDArray[np.floating]) -> Values:
        """(n, trees) what each tree adds: all rows go down all trees a step at a time."""
        trees = np.arange(len(self.left))[None]
        numbers = np.arange(len(rows))[:, None]
        at = np.zeros((len(rows), len(self.left)), dtype=np.int32)
        while (inner := (left := self.left[trees, at]) != LEAF).any():
            asked = rows[numbers, self.feature[trees, at]]
            lower = asked <= self.threshold[trees, at]
            if self.unknown is not None:
                lower |= np.isnan(asked) & self.unknown[trees, at]
            at = np.where(inner, np.where(lower, left, self.right[trees, at]), at)
        return np.asarray(self.value[trees, at], dtype=np.float64)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What is stored, by name."""
        stored = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: np.ascontiguousarray(array) for name, array in stored.items() if array is not None}

    def write(self, path: Path) -> None:
        """As safetensors."""
        save_file(self.arrays(), path)


def read_trees(package: Package) -> Trees:
    """The package's trees.

    Raises:
        PackageRefused: if the file is no forest or points outside itself.
    """
    try:
        trees = Trees(**load_file(package.folder / TREES))
    except (SafetensorError, TypeError, OSError) as error:
        raise PackageRefused(f"{package.name} {package.version}: {TREES} holds no trees") from error
    if not sound(trees, len(package.card["features"])) or trees.background.shape[1] != len(package.card["features"]):
        raise PackageRefused(f"{package.name} {package.version}: the trees do not fit the card")
    return trees


def sound(trees: Trees, features: int) -> bool:
    """Whether every way through the trees ends within them and asks only features that there are."""
    if any(array.shape != trees.left.shape for array in (trees.right, trees.feature, trees.threshold, trees.value)):
        return False
    inner = trees.left != LEAF
    children = np.concatenate([trees.left[inner], trees.right[inner]])
    parents = np.concatenate([np.nonzero(inner)[1]] * 2)
    within = (children > parents).all() and (children < trees.left.shape[1]).all()
    return bool(within and ((trees.feature[inner] >= 0) & (trees.feature[inner] < features)).all())


def from_sklearn(booster: Any, background: Values) -> Trees:
    """The arrays of a fitted ``GradientBoostingRegressor``."""
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
    """The arrays of a fitted ``HistGradientBoostingClassifier`` of two classes; answers are log-odds.

    Args:
        columns: which of the ``features`` it was fitted on.
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

"""Running a table package: ``trees``, gradient-boosted regression trees stored as arrays, never as pickles."""

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
    """

    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    threshold: Values
    value: Values
    weight: Values
    offset: Values
    background: Values

    def predict(self, rows: npt.NDArray[np.floating]) -> Values:
        """(n,) answers to (n, features) rows."""
        answers = np.full(len(rows), float(self.offset[0]))
        numbers = np.arange(len(rows))
        for tree in range(len(self.left)):
            at = np.zeros(len(rows), dtype=np.int64)
            while True:
                inner = self.left[tree, at] != LEAF
                if not inner.any():
                    break
                lower = rows[numbers, self.feature[tree, at]] <= self.threshold[tree, at]
                at = np.where(inner, np.where(lower, self.left[tree, at], self.right[tree, at]), at)
            answers += self.value[tree, at]
        return answers

    def write(self, path: Path) -> None:
        """As safetensors."""
        save_file({name: np.ascontiguousarray(getattr(self, name)) for name in self.__dataclass_fields__}, path)


def read_trees(package: Package) -> Trees:
    """The package's trees.

    Raises:
        PackageRefused: if the file is no forest or points outside itself.
    """
    try:
        trees = Trees(**load_file(package.folder / TREES))
    except (SafetensorError, TypeError, OSError) as error:
        raise PackageRefused(f"{package.name} {package.version}: {TREES} holds no trees") from error
    nodes, features = trees.left.shape[1], len(package.card["features"])
    inner = trees.left != LEAF
    children = np.concatenate([trees.left[inner], trees.right[inner]])
    parents = np.concatenate([np.nonzero(inner)[1]] * 2)
    sound = (children > parents).all() and (children < nodes).all() and trees.background.shape[1] == features
    if not sound or not ((trees.feature[inner] >= 0) & (trees.feature[inner] < features)).all():
        raise PackageRefused(f"{package.name} {package.version}: the trees do not fit the card")
    return trees


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

"""Model packages: a folder with ``card.json`` and the files it lists with their digests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

CARD = "card.json"
FILMS, TABLES, TEXTS = "image-classification", "tabular-regression", "text-classification"
VOLUMES = "volume-classification"
IMAGES = (FILMS, VOLUMES)
"""Tasks whose input is an imaging series."""
SERIES, EVENTS, FUSION = "series-classification", "event-prediction", "fusion"
RANKING = "recommendation"


class PackageRefused(Exception):
    """A package that must not be used; the message tells the administrator why."""


@dataclass(frozen=True)
class Label:
    """A label of a package.

    Attributes:
        outputs: indices of the network's classes that make up the label.
        requires: code of the label it is a subtype of; empty for none.
    """

    code: str
    title: dict[str, str]
    outputs: tuple[int, ...]
    finding: bool
    threshold: float
    operating_point: dict[str, str]
    requires: str


@dataclass(frozen=True)
class Package:
    """A verified package."""

    folder: Path
    card: dict[str, Any]
    digest: str

    @property
    def name(self) -> str:
        return str(self.card["name"])

    @property
    def version(self) -> str:
        return str(self.card["version"])

    @property
    def task(self) -> str:
        """The task: FILMS, VOLUMES, TABLES, TEXTS, SERIES, EVENTS, FUSION or RANKING."""
        return str(self.card["task"])

    @property
    def size(self) -> int:
        """Rows and columns of the model's input plane, in pixels."""
        return int(self.card["preprocessing"]["size"])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the model's input: (rows, columns) for images, (slices, rows, columns) for volumes."""
        preprocessing = self.card["preprocessing"]
        return tuple(preprocessing["shape"]) if "shape" in preprocessing else (self.size, self.size)

    @cached_property
    def labels(self) -> tuple[Label, ...]:
        """The labels in the card's order."""
        return tuple(
            Label(
                code=label["code"],
                title=label["title"],
                outputs=tuple(label["outputs"]),
                finding=label["finding"],
                threshold=self.card["thresholds"][label["code"]]["value"],
                operating_point=self.card["thresholds"][label["code"]]["operating_point"],
                requires=label.get("requires", ""),
            )
            for label in self.card["labels"]
        )


def check_groups(card: Mapping[str, Any]) -> None:
    """Check that each feature's group is listed.

    Raises:
        PackageRefused: if one is not.
    """
    if {feature["group"] for feature in card["features"]} - card["groups"].keys():
        raise PackageRefused("card: a feature belongs to a group that is not listed")


def check_labels(card: Mapping[str, Any]) -> None:
    """Check that image labels have one threshold each, name their outputs and require only earlier labels.

    Raises:
        PackageRefused: if one does not.
    """
    codes = [label["code"] for label in card["labels"]]
    if len(set(codes)) < len(codes) or set(codes) != set(card["thresholds"]):
        raise PackageRefused("card: each label needs one threshold and a code of its own")
    listed_before = [{*codes[:index], ""} for index in range(len(codes))]
    if any(label.get("requires", "") not in known for label, known in zip(card["labels"], listed_before, strict=True)):
        raise PackageRefused("card: a label requires one that is listed before it")
    if any(not label.keys() >= {"outputs", "finding"} for label in card["labels"]):
        raise PackageRefused("card: a label of images names its outputs and says whether it is a finding")

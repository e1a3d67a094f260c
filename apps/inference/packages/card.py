"""A model package: a folder with ``card.json`` and the files that the card lists with their digests."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jsonschema

CARD = "card.json"
MAX_CARD_BYTES = 1 * 2**20
FILMS, TABLES, TEXTS = "image-classification", "tabular-regression", "text-classification"
VOLUMES = "volume-classification"
IMAGES = (FILMS, VOLUMES)
"""What looks at series."""
SERIES, EVENTS, FUSION = "series-classification", "event-prediction", "fusion"
RANKING = "recommendation"


class PackageRefused(Exception):
    """A package that must not be used, with the reason for the administrator."""


@dataclass(frozen=True)
class Label:
    """One thing a package speaks of."""

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
        """What it reads: FILMS, VOLUMES, TABLES, TEXTS, SERIES, EVENTS, FUSION or RANKING."""
        return str(self.card["task"])

    @property
    def size(self) -> int:
        """Rows and columns of the model's input plane, pixels."""
        return int(self.card["preprocessing"]["size"])

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the model's input: rows and columns of a film's plane; slices, rows and columns of a volume's box."""
        given = self.card["preprocessing"]
        return tuple(given["shape"]) if "shape" in given else (self.size, self.size)

    @cached_property
    def labels(self) -> tuple[Label, ...]:
        """What it speaks of, in the card's order."""
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


def read_package(folder: Path) -> Package:
    """Read and verify a package: the card against its schema, each file against its digest.

    Raises:
        PackageRefused: saying what is wrong with which file.
    """
    path = folder / CARD
    try:
        content = path.read_bytes() if path.stat().st_size <= MAX_CARD_BYTES else b""
        card = json.loads(content)
        validate_card(card)
    except (OSError, ValueError) as error:
        raise PackageRefused(f"{folder.name}: {CARD} cannot be read: {type(error).__name__}") from error
    listed, present = set(card["files"]), {file.name for file in folder.iterdir() if file.name != CARD}
    if listed != present:
        names = ", ".join(sorted(listed ^ present))
        raise PackageRefused(f"{folder.name}: the card's list of files and the folder differ in: {names}")
    for name, expected in card["files"].items():
        if sha256(folder / name) != expected:
            raise PackageRefused(
                f"{folder.name}: the digest of {name} is not the one on the card: it was changed or damaged"
            )
    return Package(folder, card, hashlib.sha256(content).hexdigest())


def validate_card(card: Any) -> None:
    """Check a card against the schema and against itself.

    Raises:
        PackageRefused: naming the first place that is wrong.
    """
    errors = sorted(jsonschema.Draft202012Validator(_schema()).iter_errors(card), key=lambda error: list(error.path))
    if errors:
        place = "/".join(str(part) for part in errors[0].path) or "the card"
        raise PackageRefused(f"card: {place}: {errors[0].message[:200]}")
    if any("/" in name or "\\" in name or name.startswith(".") for name in card["files"]):
        raise PackageRefused("card: files lie beside the card, without folders")
    age = card.get("patient_age", {})
    if age.get("minimum", 0) > age.get("maximum", 130):
        raise PackageRefused("card: patient_age: the minimum is above the maximum")
    if card["task"] in IMAGES:
        _validate_labels(card)
    if card["task"] == TABLES and {feature["group"] for feature in card["features"]} - card["groups"].keys():
        raise PackageRefused("card: a feature belongs to a group that is not listed")


def _validate_labels(card: Any) -> None:
    codes = [label["code"] for label in card["labels"]]
    if len(set(codes)) < len(codes) or set(codes) != set(card["thresholds"]):
        raise PackageRefused("card: each label needs one threshold and a code of its own")
    listed_before = [{*codes[:place], ""} for place in range(len(codes))]
    if any(label.get("requires", "") not in known for label, known in zip(card["labels"], listed_before, strict=True)):
        raise PackageRefused("card: a label requires one that is listed before it")
    if any(not label.keys() >= {"outputs", "finding"} for label in card["labels"]):
        raise PackageRefused("card: a label of images names its outputs and says whether it is a finding")


def sha256(path: Path) -> str:
    """Hex digest of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((Path(__file__).parent / "card.schema.json").read_text())
    return schema

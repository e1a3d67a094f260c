"""Training recipes. A recipe is a folder with ``train.py`` and an entry in RECIPES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from apps.inference.packages.card import Package

Card = dict[str, Any]
Progress = Callable[[str, int, int, str], None]
"""Called with (stage, done, total, remark)."""


@dataclass(frozen=True)
class TrainingRun:
    """Parameters of a training run.

    Attributes:
        data: folder of the recipe's data; None if it simulates or ships its own.
        output: folder of the new package; must not contain one.
        epochs: maximum; None for the recipe's default.
        workers: number of processes that generate images or volumes.
        newest: finds an installed package that the recipe builds on, by name.
    """

    data: Path | None
    output: Path
    version: str
    epochs: int | None
    workers: int
    progress: Progress
    newest: Callable[[str], Package]

    def data_folder(self) -> Path:
        """Return the data folder.

        Raises:
            ValueError: if none was given.
        """
        if self.data is None:
            raise ValueError("say where the data are: --data DIR")
        return self.data


RECIPES = {
    "case-risk": "case_risk",
    "ct-nodule": "ct_nodule",
    "cxr-pneumonia": "cxr_pneumonia",
    "diabetes-progression": "diabetes_progression",
    "icu-deterioration": "icu_deterioration",
    "next-event": "next_event",
    "note-specialty": "note_specialty",
}
"""Folder of each package's recipe; its ``train.run`` takes a TrainingRun and returns the new card."""


def train_package(name: str, run: TrainingRun) -> Card:
    """Train a package from scratch and write it to ``run.output``; return its card.

    Raises:
        ValueError, FileNotFoundError, FileExistsError: naming what is missing or already exists.
    """
    recipe = import_module(f"apps.inference.training.{RECIPES[name]}.train")  # imported lazily: needs torch
    card: Card = recipe.run(run)
    return card

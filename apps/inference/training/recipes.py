"""Which model packages can be trained here. A recipe is a folder with ``train.py`` and a line in RECIPES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from apps.inference.packages.card import Package

Card = dict[str, Any]
Progress = Callable[[str, int, int, str], None]
"""Takes the stage, how much of it is done, how much there is, and a remark."""


@dataclass(frozen=True)
class TrainingRun:
    """What one training is asked for.

    Attributes:
        data: folder of the recipe's data; None if it draws or ships its own.
        output: folder of the new package; it must not exist.
        epochs: at most this many; None for the recipe's own number.
        workers: processes that draw films or volumes.
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
        """The folder of the data.

        Raises:
            ValueError: if none was named.
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
    """Train a package from scratch and write it to ``run.output``; its card.

    Raises:
        ValueError, FileNotFoundError, FileExistsError: saying what is missing or in the way.
    """
    recipe = import_module(f"apps.inference.training.{RECIPES[name]}.train")  # torch, for this command alone
    card: Card = recipe.run(run)
    return card

"""Training note-specialty: on words, or from version 2.0.0 on on sentence vectors."""

from __future__ import annotations

from typing import Any

from apps.inference.training.note_specialty import train_sentences, train_words
from apps.inference.training.recipes import TrainingRun

SENTENCES = (2, 0, 0)


def run(asked: TrainingRun) -> dict[str, Any]:
    """Train the package; its card."""
    version = tuple(int(part) for part in asked.version.split("."))
    recipe = train_sentences if version >= SENTENCES else train_words
    return recipe.train(asked.data_folder(), asked.output, version=asked.version)

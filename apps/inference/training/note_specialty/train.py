"""Training of ``note-specialty``: on words, or on sentence vectors from version 2.0.0."""

from __future__ import annotations

from typing import Any

from apps.inference.training.note_specialty import train_sentences, train_words
from apps.inference.training.recipes import TrainingRun

SENTENCES = (2, 0, 0)


def run(job: TrainingRun) -> dict[str, Any]:
    """Train the package; return its card."""
    version = tuple(int(part) for part in job.version.split("."))
    recipe = train_sentences if version >= SENTENCES else train_words
    return recipe.train(job.data_folder(), job.output, version=job.version)

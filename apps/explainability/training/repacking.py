"""Writing a new package version with its explainer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from apps.explainability.explainers.image.baselines import References
from apps.explainability.explainers.image.explainable import REFERENCES
from apps.inference.packages.card import Package
from apps.inference.training.packing import finish


def repack(
    package: Package, output: Path, *, version: str, references: References, explainer: dict[str, Any]
) -> dict[str, Any]:
    """Add the package's files and the references to ``output`` and write the new card; return it.

    Args:
        explainer: the card's ``explainer`` entry: method, recipe and comparisons.
    """
    for name in package.card["files"]:
        if not (output / name).exists():  # keep a new file of the same name
            shutil.copyfile(package.folder / name, output / name)
    stored = {"planes": torch.from_numpy(references.planes), "thumbnails": torch.from_numpy(references.thumbnails)}
    save_file(stored, output / REFERENCES)
    return finish(output, {**package.card, "version": version, "explainer": explainer})

"""Writing a package anew with what explains it."""

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
    """Add the package's own files and the references to what lies in ``output``; the new card.

    Args:
        explainer: how it was made and how well it does, as the card says it.
    """
    for name in package.card["files"]:
        if not (output / name).exists():  # a new one of the same name stays
            shutil.copyfile(package.folder / name, output / name)
    stored = {"planes": torch.from_numpy(references.planes), "thumbnails": torch.from_numpy(references.thumbnails)}
    save_file(stored, output / REFERENCES)
    return finish(output, {**package.card, "version": version, "explainer": explainer})

"""Writing a trained package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from apps.inference.package_reader import sha256, validate_card
from apps.inference.packages.card import CARD


def begin(output: Path) -> None:
    """Create the folder of a new package.

    Raises:
        FileExistsError: if it contains a package already.
    """
    if (output / CARD).exists():
        raise FileExistsError(f"{output} holds a package: choose another version")
    output.mkdir(parents=True, exist_ok=True)


def finish(output: Path, card: dict[str, Any]) -> dict[str, Any]:
    """Add the file digests to the card, validate and write it; return the card."""
    files = sorted(path.name for path in output.iterdir() if path.is_file() and path.name != CARD)
    card = {"schema": 1, **card, "files": {name: sha256(output / name) for name in files}}
    validate_card(card)
    (output / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=2) + "\n")
    return card

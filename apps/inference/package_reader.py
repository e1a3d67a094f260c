"""Reading and verifying model packages: the card against its schema, each file against its digest."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from apps.inference.engines.registry import engines
from apps.inference.packages.card import CARD, Package, PackageRefused

MAX_CARD_BYTES = 1 * 2**20
SCHEMA = Path(__file__).parent / "packages" / "card.schema.json"


def read_package(folder: Path) -> Package:
    """Read and verify a package: the card against its schema, each file against its digest.

    Raises:
        PackageRefused: naming the file and the problem.
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
    """Check a card against the schema (including its engine's part) and for consistency.

    Raises:
        PackageRefused: naming the path of the first error.
    """
    runtime = card.get("runtime") if isinstance(card, dict) else None
    engine = engines().get(runtime) if isinstance(runtime, str) else None
    if engine is None:
        raise PackageRefused(
            f"card: runtime: no engine here is called {runtime!r}; known: {', '.join(sorted(engines()))}"
        )
    validator = jsonschema.Draft202012Validator(_schema_for(engine.runtime))
    errors = sorted(validator.iter_errors(card), key=lambda error: list(error.path))
    if errors:
        location = "/".join(str(part) for part in errors[0].path) or "the card"
        raise PackageRefused(f"card: {location}: {errors[0].message[:200]}")
    if any("/" in name or "\\" in name or name.startswith(".") for name in card["files"]):
        raise PackageRefused("card: files lie beside the card, without folders")
    age = card.get("patient_age", {})
    if age.get("minimum", 0) > age.get("maximum", 130):
        raise PackageRefused("card: patient_age: the minimum is above the maximum")
    engine.check_card(card)


def sha256(path: Path) -> str:
    """SHA-256 hex digest of a file, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _schema_for(runtime: str) -> dict[str, Any]:
    """The common card schema merged with an engine's part."""
    schema: dict[str, Any] = json.loads(SCHEMA.read_text())
    engine = engines()[runtime]
    own = engine.schema
    return {
        **schema,
        "properties": {**schema["properties"], **own.get("properties", {}), "task": {"const": engine.task}},
        "required": [*schema["required"], *own.get("required", [])],
        "$defs": {**schema["$defs"], **own.get("$defs", {})},
    }

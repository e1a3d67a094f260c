"""Registry of engines, the plug-ins that run one kind of model each.

An engine is a folder with ``engine.py`` (an :class:`Engine` named ``ENGINE``), its part of the card's schema and its
code, plus an entry in BUILT_IN. Third-party engines are found through the entry point group ``medportal.engines``. No
large imports here: the web process validates cards too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

GROUP = "medportal.engines"
BUILT_IN = (
    "bag_of_words",
    "event_sequence",
    "fusion",
    "icu_timeseries",
    "radiograph",
    "recommendation_factors",
    "sentence_head",
    "sklearn_table",
    "transformer_text",
    "tree_table",
    "volume",
)


@dataclass(frozen=True)
class Engine:
    """One kind of model.

    Attributes:
        runtime: the name in a card's ``runtime``.
        task: kind of input and output, by which pages and jobs select packages (``packages.card``).
        schema: JSON Schema (2020-12) of its part of a card: ``properties`` and ``required``.
        loader: ``module:function`` that loads the model of a verified package; imported by workers only. Raises
            ``PackageRefused`` if the files do not match the card.
        explainer: name of its explainer plug-in; empty for none.
        check_card: raises ``PackageRefused`` for constraints that the schema cannot express.
    """

    runtime: str
    task: str
    schema: Mapping[str, Any]
    loader: str
    explainer: str = ""
    check_card: Callable[[Mapping[str, Any]], None] = lambda card: None

    def load(self, package: Any) -> Any:
        """Load the model of a verified package."""
        module, _colon, function = self.loader.partition(":")
        return getattr(import_module(module), function)(package)


@cache
def engines() -> Mapping[str, Engine]:
    """All engines by runtime.

    Raises:
        RuntimeError: if two engines have the same runtime name.
    """
    built_in = [import_module(f"apps.inference.engines.{kind}.engine").ENGINE for kind in BUILT_IN]
    installed = [entry_point.load() for entry_point in entry_points(group=GROUP)]
    by_runtime: dict[str, Engine] = {}
    for engine in [*built_in, *installed]:
        if by_runtime.setdefault(engine.runtime, engine) is not engine:
            raise RuntimeError(f"two engines are called {engine.runtime}")
    return by_runtime


def schema_beside(file: str) -> Mapping[str, Any]:
    """Read ``card.schema.json`` next to an engine's module."""
    schema: dict[str, Any] = json.loads((Path(file).parent / "card.schema.json").read_text())
    return schema

"""The kinds of models that can be run, each a plug-in.

An engine is a folder with ``engine.py`` (an :class:`Engine` named ``ENGINE``), its part of the card's schema and its
code, plus a line in BUILT_IN. Engines from outside the project are found by the entry point group ``medportal.engines``
of installed distributions. Nothing large is imported here: the web process validates cards too.
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
        runtime: the name by which a card asks for it.
        task: what it reads and answers; pages and jobs go by it (``packages.card``).
        schema: JSON Schema (2020-12) of its own part of a card: ``properties`` and ``required``.
        loader: ``module:function`` that makes a loaded model of a verified package, imported by workers only. It raises
            ``PackageRefused`` if files and card do not fit.
        explainer: name of the explainer plug-in that explains its answers; empty if none does.
        check_card: raises ``PackageRefused`` for what the schema cannot say.
    """

    runtime: str
    task: str
    schema: Mapping[str, Any]
    loader: str
    explainer: str = ""
    check_card: Callable[[Mapping[str, Any]], None] = lambda card: None

    def load(self, package: Any) -> Any:
        """The loaded model of a verified package."""
        module, _colon, function = self.loader.partition(":")
        return getattr(import_module(module), function)(package)


@cache
def engines() -> Mapping[str, Engine]:
    """All engines by the runtime that cards name.

    Raises:
        RuntimeError: if two engines claim one name; a package would run on whichever came last.
    """
    built_in = [import_module(f"apps.inference.engines.{kind}.engine").ENGINE for kind in BUILT_IN]
    installed = [entry_point.load() for entry_point in entry_points(group=GROUP)]
    by_runtime: dict[str, Engine] = {}
    for engine in [*built_in, *installed]:
        if by_runtime.setdefault(engine.runtime, engine) is not engine:
            raise RuntimeError(f"two engines are called {engine.runtime}")
    return by_runtime


def schema_beside(file: str) -> Mapping[str, Any]:
    """The ``card.schema.json`` that lies beside an engine's module."""
    schema: dict[str, Any] = json.loads((Path(file).parent / "card.schema.json").read_text())
    return schema

"""Per-process cache of loaded models, one per package version."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from apps.inference.engines.registry import engines
from apps.inference.packages.card import Package

Model = TypeVar("Model")


class RuntimeCache(Generic[Model]):
    """LRU cache of objects built from packages, keyed by digest so that a changed package is built again."""

    def __init__(self, make: Callable[[Package], Model], *, size: int = 8) -> None:
        self._make, self._size = make, size
        self._models: OrderedDict[str, Model] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, package: Package) -> Model:
        """Return the object ``make`` builds from a verified package, from the cache if present."""
        with self._lock:  # two threads would load a large model twice
            if package.digest not in self._models:
                self._models[package.digest] = self._make(package)
            self._models.move_to_end(package.digest)
            while len(self._models) > self._size:
                self._models.popitem(last=False)
            return self._models[package.digest]

    def clear(self) -> None:
        """Empty the cache."""
        with self._lock:
            self._models.clear()


def _load(package: Package) -> Any:
    return engines()[package.card["runtime"]].load(package)


loaded_model: RuntimeCache[Any] = RuntimeCache(_load)
"""The loaded model of a package, by its engine.

Raises:
    PackageRefused: if its files do not match the card, or a dependency is not installed.
"""

"""Loaded models, one of a package version in a process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from apps.inference.engines.registry import engines
from apps.inference.packages.card import Package

Model = TypeVar("Model")


class RuntimeCache(Generic[Model]):
    """What was made of the packages used last, by their digest: a package that changed is another one."""

    def __init__(self, make: Callable[[Package], Model], *, size: int = 8) -> None:
        self._make, self._size = make, size
        self._models: OrderedDict[str, Model] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, package: Package) -> Model:
        """What ``make`` gives for a package that was verified just now."""
        with self._lock:  # two threads would load a large model twice
            if package.digest not in self._models:
                self._models[package.digest] = self._make(package)
            self._models.move_to_end(package.digest)
            while len(self._models) > self._size:
                self._models.popitem(last=False)
            return self._models[package.digest]

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._models.clear()


def _load(package: Package) -> Any:
    return engines()[package.card["runtime"]].load(package)


loaded_model: RuntimeCache[Any] = RuntimeCache(_load)
"""The loaded model of a package, by its engine.

Raises:
    PackageRefused: if its files do not fit the card, or what it builds on is not installed.
"""

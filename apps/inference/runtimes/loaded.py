"""Loaded runtimes, one of a package version in a worker process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from apps.inference.packages.card import VOLUMES, Package
from apps.inference.runtimes.film import FilmRuntime
from apps.inference.runtimes.suitability import Unsuitable, check_novelty
from apps.inference.runtimes.volume import VolumeRuntime


def runtime(package: Package) -> FilmRuntime:
    """The loaded runtime of a package that was verified just now."""
    return _load(package.digest, Box(package))


@dataclass(frozen=True)
class Assessed:
    """A film's plane, or a volume's box, and the model's answer: calibrated probabilities, (labels,), or why not."""

    plane: npt.NDArray[np.uint8]
    answer: npt.NDArray[np.float64] | Unsuitable


def assess(package: Package, films: Sequence[npt.NDArray[np.generic]]) -> list[Assessed]:
    """Assess films (rows, columns), or volumes (slices, rows, columns) as ``shrunk`` gives them, in one batch."""
    if not films:
        return []
    loaded = runtime(package)
    planes = [loaded.prepare(pixels) for pixels in films]
    output = loaded.run(np.stack(planes))
    limit = package.card.get("novelty", {}).get("threshold")
    assessed = []
    for plane, probabilities, distance in zip(planes, output.probabilities, output.novelty, strict=True):
        try:
            check_novelty(float(distance), limit)
            assessed.append(Assessed(plane, probabilities))
        except Unsuitable as refusal:
            assessed.append(Assessed(plane, refusal))
    return assessed


class Box:
    """Carries a package past the cache's key, which is its digest alone."""

    def __init__(self, package: Package) -> None:
        self.package = package

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Box)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=4)
def _load(digest: str, box: Box) -> FilmRuntime:
    return VolumeRuntime(box.package) if box.package.task == VOLUMES else FilmRuntime(box.package)

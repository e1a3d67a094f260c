"""Loaded runtimes, one of a package version in a worker process."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from apps.inference.packages.card import Package
from apps.inference.runtimes.film import FilmRuntime
from apps.inference.runtimes.suitability import Unsuitable, check_novelty


def runtime(package: Package) -> FilmRuntime:
    """The loaded runtime of a package that was verified just now."""
    return _load(package.digest, _Box(package))


def assess(package: Package, films: Sequence[npt.NDArray[np.generic]]) -> list[npt.NDArray[np.float64] | Unsuitable]:
    """Assess films (rows, columns) in one batch.

    Returns:
        For each film its calibrated probabilities, (labels,), or why there are none.
    """
    if not films:
        return []
    loaded = runtime(package)
    output = loaded.run(np.stack([loaded.prepare(pixels) for pixels in films]))
    limit = package.card.get("novelty", {}).get("threshold")
    answers: list[npt.NDArray[np.float64] | Unsuitable] = []
    for probabilities, distance in zip(output.probabilities, output.novelty, strict=True):
        try:
            check_novelty(float(distance), limit)
            answers.append(probabilities)
        except Unsuitable as refusal:
            answers.append(refusal)
    return answers


class _Box:
    """Carries a package past the cache's key, which is its digest alone."""

    def __init__(self, package: Package) -> None:
        self.package = package

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Box)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=4)
def _load(digest: str, box: _Box) -> FilmRuntime:
    return FilmRuntime(box.package)

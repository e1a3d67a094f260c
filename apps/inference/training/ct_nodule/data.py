"""Simulated chest volumes as model input, with nodule masks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from apps.inference.engines.volume.resampling import shrink_slices, to_box
from apps.synthetic.chest_ct import draw_chest

SHAPE = (48, 80, 80)
WINDOW = (-1000.0, 400.0)
"""Hounsfield units: air to bone."""
FIRST_SEED = {
    "train": 0,
    "validation": 1_000_000,
    "test": 2_000_000,
    "reference": 3_000_000,
    "demonstration": 9_000_000,
}
"""First seed of each split; the splits share no seed."""


@dataclass(frozen=True)
class Volumes:
    """Simulated volumes.

    Attributes:
        boxes: (n, *SHAPE) uint8.
        nodules: (n, *SHAPE) bool: voxels at least a fifth of which are nodule.
        labels: (n,) 1 with a nodule, 0 without.
        diameters: (n,) equivalent sphere diameter of the nodule in mm; 0 without.
    """

    boxes: npt.NDArray[np.uint8]
    nodules: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.int64]
    diameters: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.labels)


def draw_volumes(
    part: str, count: int, *, workers: int, progress: Callable[[int, int], None] = lambda done, total: None
) -> Volumes:
    """Simulate the first ``count`` volumes of a split: every second one has a nodule, references have none."""
    seeds = [(FIRST_SEED[part] + number, part != "reference" and number % 2 == 1) for number in range(count)]
    drawn = []
    with ProcessPoolExecutor(workers) as pool:
        for number, volume in enumerate(pool.map(_draw, seeds, chunksize=8), start=1):
            drawn.append(volume)
            progress(number, count)
    boxes, nodules, diameters = (np.array(column) for column in zip(*drawn, strict=True))
    return Volumes(boxes, nodules, (diameters > 0).astype(np.int64), diameters)


def _draw(job: tuple[int, bool]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_], float]:
    seed, nodule = job
    slices = int(np.random.default_rng(seed).integers(48, 80))  # slice thickness varies between scanners
    drawn = draw_chest(seed, nodule=nodule, shape=(slices, 112, 112))
    box = to_box(shrink_slices(drawn.voxels, shape=SHAPE), shape=SHAPE, window=WINDOW)
    share = to_box(shrink_slices(drawn.nodule, shape=SHAPE), shape=SHAPE, window=(0.0, 1.0))
    voxel = float(np.prod(drawn.spacing))
    return box, share >= 51, float((6 * drawn.nodule.sum() * voxel / np.pi) ** (1 / 3))

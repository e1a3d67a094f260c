"""Training, calibration and test images of ``cxr-pneumonia``."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from apps.inference.engines.radiograph.preprocessing import CANONICAL_SIZE, to_plane
from apps.synthetic.radiograph import Pattern, draw_film

LABELS = ("normal", "bacterial_pneumonia", "viral_pneumonia")
_CSV_LABELS = {"normal": 0, "bacterial": 1, "viral": 2}
_PATTERN_LABELS: dict[Pattern, int] = {"normal": 0, "focal": 1, "diffuse": 2}
SYNTHETIC_SEEDS = {"train": 1_000_000, "validation": 2_000_000, "test": 3_000_000}
"""First seed of each split; no synthetic image is in two of them."""


@dataclass(frozen=True)
class Films:
    """Images in memory.

    Attributes:
        planes: (n, 224, 224) uint8, equalised.
        labels: (n,) int64, index into LABELS.
        groups: (n,) str, the patient; a patient's images are never in two splits.
    """

    planes: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    groups: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: npt.NDArray[np.integer]) -> Films:
        """The images at these rows."""
        return Films(self.planes[rows], self.labels[rows], self.groups[rows])


def join(parts: Sequence[Films]) -> Films:
    """Concatenate sets of images."""
    return Films(
        np.concatenate([part.planes for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.groups for part in parts]),
    )


def read_films(folder: Path, progress: Callable[[int, int], None]) -> Films:
    """Read the real images of ``folder``.

    Args:
        folder: with ``labels.csv``: columns path, label (normal, bacterial, viral), patient.
        progress: called with (images read, total).

    Raises:
        FileNotFoundError: if there is no ``labels.csv``.
        ValueError: for an unknown label.
    """
    index = folder / "labels.csv"
    if not index.is_file():
        raise FileNotFoundError(f"{index} is missing: the folder must hold labels.csv and the films it lists")
    with index.open(newline="") as file:
        rows = list(csv.DictReader(file))
    unknown = {row["label"] for row in rows} - _CSV_LABELS.keys()
    if unknown:
        raise ValueError(f"unknown labels in {index}: {', '.join(sorted(unknown))}")
    planes = np.empty((len(rows), CANONICAL_SIZE, CANONICAL_SIZE), dtype=np.uint8)
    for number, row in enumerate(rows):
        with Image.open(folder / row["path"]) as image:
            planes[number] = to_plane(np.asarray(image.convert("L")), size=CANONICAL_SIZE)
        progress(number + 1, len(rows))
    labels = np.array([_CSV_LABELS[row["label"]] for row in rows], dtype=np.int64)
    return Films(planes, labels, np.array([row["patient"] for row in rows]))


def synthetic_films(part: str, count: int, *, workers: int, progress: Callable[[int, int], None]) -> Films:
    """Generate ``count`` synthetic images, a third of each pattern; focal counts as bacterial, diffuse as viral.

    The mapping follows textbook patterns (lobar consolidation, bilateral interstitial opacities) and is a
    convention of the simulation, so figures on real and synthetic images are reported separately.
    """
    patterns: list[Pattern] = ["normal", "focal", "diffuse"]
    jobs = [(SYNTHETIC_SEEDS[part] + number, patterns[number % 3]) for number in range(count)]
    planes = np.empty((count, CANONICAL_SIZE, CANONICAL_SIZE), dtype=np.uint8)
    with ProcessPoolExecutor(workers) as pool:
        for number, plane in enumerate(pool.map(_draw_plane, jobs, chunksize=8)):
            planes[number] = plane
            progress(number + 1, count)
    labels = np.array([_PATTERN_LABELS[pattern] for _, pattern in jobs], dtype=np.int64)
    return Films(planes, labels, np.array([f"synthetic-{seed}" for seed, _ in jobs]))


def _draw_plane(job: tuple[int, Pattern]) -> npt.NDArray[np.uint8]:
    seed, pattern = job
    return to_plane(draw_film(seed, pattern=pattern, size=320).pixels, size=CANONICAL_SIZE)


def split_by_patient(films: Films, *, validation: float, test: float, seed: int) -> tuple[Films, Films, Films]:
    """Split into train, validation and test by patient.

    Patients are stratified by their most frequent label, so that the splits keep the class proportions.

    Args:
        validation: fraction of patients for early stopping, calibration and thresholds.
        test: fraction of patients for the final figures only.
    """
    rng = np.random.default_rng(seed)
    patients, inverse = np.unique(films.groups, return_inverse=True)
    counts = np.zeros((len(patients), len(LABELS)), dtype=int)
    np.add.at(counts, (inverse, films.labels), 1)
    part = np.zeros(len(patients), dtype=int)
    for stratum in range(len(LABELS)):
        members = rng.permutation(np.flatnonzero(counts.argmax(axis=1) == stratum))
        cut = np.round(np.cumsum([test, validation]) * len(members)).astype(int)
        part[members[: cut[0]]] = 2
        part[members[cut[0] : cut[1]]] = 1
    rows = [np.flatnonzero(part[inverse] == number) for number in range(3)]
    return films.take(rows[0]), films.take(rows[1]), films.take(rows[2])

"""Baselines that replace hidden regions.

A blurred or averaged image lacks the fine vessels of a healthy lung, and ``cxr-pneumonia`` calls it pneumonia
(0.98), so there would be nothing to explain. The reference planes are learned (training/reference.py): images
that the model takes for healthy lung even in part; docs/explanations.md has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
MASKERS = ("reference", "blur", "inpaint", "mean")
EDGE = 24
DEEP = 8
"""Tiles of a volume's thumbnail from head to feet; EDGE - 4 along rows and columns."""


@dataclass(frozen=True)
class References:
    """Learned healthy planes of a package.

    Attributes:
        planes: (n, *shape) uint8.
        thumbnails: (n, tiles), by which the most similar reference is found.
    """

    planes: npt.NDArray[np.uint8]
    thumbnails: npt.NDArray[np.float32]

    def of(self, plane: npt.NDArray[np.generic]) -> int:
        """Index of the reference most similar to an image."""
        return int(nearest(thumbnails(plane[None]), self.thumbnails)[0])


def baseline(masker: str, plane: npt.NDArray[np.generic], references: References | None) -> Plane:
    """The baseline plane in grey levels, which replaces hidden regions.

    Raises:
        ValueError: for an unknown masker, or ``reference`` if the package has none.
    """
    film = np.asarray(plane, dtype=np.float32)
    edge = max(film.shape) // 3
    if masker == "reference" and references is not None:
        return references.planes[references.of(plane)].astype(np.float32)
    if masker == "blur":
        return np.asarray(cv2.blur(film, (edge, edge)), dtype=np.float32)
    if masker == "mean":
        return np.full_like(film, film.mean())
    if masker == "inpaint":
        # Everything but a frame is masked and inpainted from the frame (Telea 2004).
        hidden = np.zeros(film.shape, np.uint8)
        hidden[edge // 8 : -(edge // 8), edge // 8 : -(edge // 8)] = 255
        return cv2.inpaint(film.round().astype(np.uint8), hidden, 3, cv2.INPAINT_TELEA).astype(np.float32)
    raise ValueError(f"no such baseline here: {masker}")


def thumbnails(planes: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """Means over tiles (n, tiles): EDGE × EDGE for images (n, size, size); DEEP × 20 × 20 for volumes (n, *shape).

    Each length must be a multiple of its number of tiles.
    """
    tiles = (EDGE, EDGE) if planes.ndim == 3 else (DEEP, EDGE - 4, EDGE - 4)
    parts = [
        part for number, length in zip(tiles, planes.shape[1:], strict=True) for part in (number, length // number)
    ]
    split = planes.reshape(len(planes), *parts).astype(np.float32)
    return np.asarray(split.mean(axis=tuple(range(2, split.ndim, 2))).reshape(len(planes), -1))


def nearest(rows: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """Index of the nearest row in ``others`` for each row."""
    distances = (others**2).sum(axis=1)[None] - 2 * rows @ others.T
    return np.asarray(distances.argmin(axis=1))

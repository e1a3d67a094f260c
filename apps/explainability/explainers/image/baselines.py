"""What stands in for a region that is not seen.

A blurred or averaged film lacks the fine vessels that a healthy lung shows, and ``cxr-pneumonia`` calls
it pneumonia (0.98), so nothing is left to explain. The reference planes are learned (training/reference.py):
pictures that the model takes for healthy lung also in pieces; docs/explanations.md has the figures.
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
        thumbnails: (n, tiles), by which a film finds the one that lies most like it.
    """

    planes: npt.NDArray[np.uint8]
    thumbnails: npt.NDArray[np.float32]

    def of(self, plane: npt.NDArray[np.generic]) -> int:
        """Which reference belongs to a film."""
        return int(nearest(thumbnails(plane[None]), self.thumbnails)[0])


def baseline(masker: str, plane: npt.NDArray[np.generic], references: References | None) -> Plane:
    """The plane that replaces what is hidden, in grey levels.

    Raises:
        ValueError: for an unknown masker, or ``reference`` where the package has none.
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
        # Everything is hidden but a frame, from which Telea's method (2004) fills the inside.
        hidden = np.zeros(film.shape, np.uint8)
        hidden[edge // 8 : -(edge // 8), edge // 8 : -(edge // 8)] = 255
        return cv2.inpaint(film.round().astype(np.uint8), hidden, 3, cv2.INPAINT_TELEA).astype(np.float32)
    raise ValueError(f"no such baseline here: {masker}")


def thumbnails(planes: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """(n, tiles) means over tiles: EDGE x EDGE of films, (n, size, size); DEEP x 20 x 20 of boxes, (n, *shape).

    Each length is a multiple of its number of tiles.
    """
    tiles = (EDGE, EDGE) if planes.ndim == 3 else (DEEP, EDGE - 4, EDGE - 4)
    parts = [
        part for number, length in zip(tiles, planes.shape[1:], strict=True) for part in (number, length // number)
    ]
    split = planes.reshape(len(planes), *parts).astype(np.float32)
    return np.asarray(split.mean(axis=tuple(range(2, split.ndim, 2))).reshape(len(planes), -1))


def nearest(rows: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """For each row the place of the nearest other row."""
    distances = (others**2).sum(axis=1)[None] - 2 * rows @ others.T
    return np.asarray(distances.argmin(axis=1))

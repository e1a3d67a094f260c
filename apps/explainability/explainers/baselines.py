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


@dataclass(frozen=True)
class References:
    """Learned healthy planes of a package.

    Attributes:
        planes: (n, size, size) uint8.
        thumbnails: (n, EDGE * EDGE), by which a film finds the one that lies most like it.
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
    """(n, EDGE * EDGE) means over tiles of (n, size, size) planes; the size is a multiple of EDGE."""
    count, size = len(planes), planes.shape[1] // EDGE
    tiles = planes.reshape(count, EDGE, size, EDGE, size).astype(np.float32)
    return np.asarray(tiles.mean(axis=(2, 4)).reshape(count, -1))


def nearest(rows: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """For each row the place of the nearest other row."""
    distances = (others**2).sum(axis=1)[None] - 2 * rows @ others.T
    return np.asarray(distances.argmin(axis=1))

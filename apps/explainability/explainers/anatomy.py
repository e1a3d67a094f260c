"""Words for places on a frontal chest film, in the reader's terms: the patient's right is on the image's left.

The lungs are found on the healthy reference that lies most like the film: there they are the two dark
fields inside the chest, whatever hides them on the film itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from apps.explainability.explainers.baselines import EDGE

ZONES = (
    "right_upper",
    "right_middle",
    "right_lower",
    "left_upper",
    "left_middle",
    "left_lower",
    "mediastinum",
    "above",
    "below",
    "outside",
)
"""Upper, middle and lower zones are thirds of the lungs' height, as radiologists use the words."""
LUNG_ZONES = ZONES[:6]


def zones(thumbnail: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Which zone each tile of a reference lies in.

    Args:
        thumbnail: (EDGE * EDGE,) grey levels of the reference.

    Returns:
        (EDGE, EDGE) places in ZONES.
    """
    tiles = thumbnail.reshape(EDGE, EDGE)
    right, left = _lungs(tiles)
    found = np.full((EDGE, EDGE), ZONES.index("outside"))
    rows = np.flatnonzero((right | left).any(axis=1))
    columns = np.flatnonzero((right | left).any(axis=0))
    if not len(rows):
        return found
    top, bottom, west, east = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    found[:top, west:east] = ZONES.index("above")
    found[bottom:, west:east] = ZONES.index("below")
    found[top:bottom, west:east] = ZONES.index("mediastinum")
    thirds = np.minimum(3 * (np.arange(EDGE) - top) // max(bottom - top, 1), 2).clip(0)
    for lung, first in ((right, 0), (left, 3)):
        inner = np.flatnonzero(lung.any(axis=0))
        if not len(inner):
            continue
        for column in inner:
            found[np.flatnonzero(lung[:, column])[-1] + 1 : bottom, column] = ZONES.index("below")
        for row in rows:
            across = np.flatnonzero(lung[row])
            if len(across):
                found[row, across[0] : across[-1] + 1] = first + thirds[row]
                # What lies outwards of a lung is the chest wall.
                outer = slice(0, across[0]) if first == 0 else slice(across[-1] + 1, EDGE)
                found[row, outer] = ZONES.index("outside")
    return found


def by_zone(values: npt.NDArray[np.floating], where: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Attributions of tiles, (..., EDGE * EDGE), summed up by zone, (..., zones): Shapley values may be added."""
    flat = where.reshape(-1)
    return np.stack([values[..., flat == zone].sum(axis=-1) for zone in range(len(ZONES))], axis=-1).astype(np.float64)


def _lungs(tiles: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """The two dark basins inside the chest, parted from the air beside it by the bright ridge of its wall."""
    middle = tiles[6:15]
    markers = np.zeros(tiles.shape, dtype=np.int16)
    markers[:, [0, -1]] = markers[0] = 1
    seeds = []
    for number, columns in ((2, slice(4, 10)), (3, slice(14, 20))):
        row, column = np.unravel_index(middle[:, columns].argmin(), middle[:, columns].shape)
        seeds.append(float(middle[row, columns.start + column]))
        markers[6 + row, columns.start + column] = number
    basins = ndimage.watershed_ift(np.clip(tiles, 0, 255).astype(np.uint8), markers)
    half = (np.mean(seeds) + np.percentile(middle, 95)) / 2
    right, left = ((basins == number) & (tiles < half) for number in (2, 3))
    # Films differ from their reference by a tile or so: what lies against the chest wall or the apex is lung.
    return _wider(right, -1), _wider(left, 1)


def _wider(lung: npt.NDArray[np.bool_], outwards: int) -> npt.NDArray[np.bool_]:
    wide = lung | np.roll(lung, outwards, axis=1)
    return np.asarray(wide | np.roll(wide, -1, axis=0))

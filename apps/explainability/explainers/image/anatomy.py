"""Anatomical zones of the chest, in radiological convention: the patient's right is on the image's left.

On frontal radiographs the lungs are segmented on the most similar healthy reference, where they are the two dark fields
inside the chest whatever obscures them on the image itself. On CT they are segmented directly: the air within the body.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from apps.explainability.explainers.image.baselines import EDGE

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
"""Upper, middle and lower zones are thirds of the lungs' height, as in radiology."""
LUNG_ZONES = ZONES[:6]
LUNG_BELOW = -400.0
"""Hounsfield units, halfway between lung and soft tissue."""
LUNG_SHARE = 0.01
"""Minimum share of a volume that a lung fills."""
_FLAT = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], dtype=bool)
"""Structuring element: neighbours within a slice."""


def zones(thumbnail: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Zone of each tile of a reference.

    Args:
        thumbnail: (EDGE * EDGE,) grey levels of the reference.

    Returns:
        (EDGE, EDGE) indices into ZONES.
    """
    tiles = thumbnail.reshape(EDGE, EDGE)
    right, left = _lungs(tiles)
    result = np.full((EDGE, EDGE), ZONES.index("outside"))
    rows = np.flatnonzero((right | left).any(axis=1))
    columns = np.flatnonzero((right | left).any(axis=0))
    if not len(rows):
        return result
    top, bottom, west, east = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    result[:top, west:east] = ZONES.index("above")
    result[bottom:, west:east] = ZONES.index("below")
    result[top:bottom, west:east] = ZONES.index("mediastinum")
    thirds = np.minimum(3 * (np.arange(EDGE) - top) // max(bottom - top, 1), 2).clip(0)
    for lung, first in ((right, 0), (left, 3)):
        inner = np.flatnonzero(lung.any(axis=0))
        if not len(inner):
            continue
        for column in inner:
            result[np.flatnonzero(lung[:, column])[-1] + 1 : bottom, column] = ZONES.index("below")
        for row in rows:
            across = np.flatnonzero(lung[row])
            if len(across):
                result[row, across[0] : across[-1] + 1] = first + thirds[row]
                # Lateral to a lung is the chest wall.
                outer = slice(0, across[0]) if first == 0 else slice(across[-1] + 1, EDGE)
                result[row, outer] = ZONES.index("outside")
    return result


def volume_zones(box: npt.NDArray[np.number], window: Sequence[float]) -> npt.NDArray[np.int64]:
    """Zone of each voxel of a chest CT; all ``outside`` if no lungs are found.

    Args:
        box: (slices, rows, columns) grey levels 0..255 from head to feet, front to back, the patient's right to left.
        window: the values in Hounsfield units mapped to 0 and 255.

    Returns:
        Indices into ZONES, in the box's shape.
    """
    result = np.full(box.shape, ZONES.index("outside"))
    air = box < 255 * (LUNG_BELOW - window[0]) / (window[1] - window[0])
    # Eroded by a voxel, the lungs do not leak into the room air where the chest wall is thin.
    parts, count = ndimage.label(ndimage.binary_erosion(air, _FLAT, border_value=1))
    edges = {*np.unique(parts[:, [0, -1]]), *np.unique(parts[:, :, [0, -1]])}
    inner = [number for number in range(1, count + 1) if number not in edges]
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[inner]
    if not inner or sizes.max() < LUNG_SHARE * box.size:
        return result
    lungs = np.isin(parts, np.array(inner)[sizes >= sizes.max() / 5])
    lungs = ndimage.binary_dilation(lungs, _FLAT, iterations=2, mask=air)
    lungs = np.stack([ndimage.binary_fill_holes(part) for part in ndimage.binary_closing(lungs, iterations=2)])
    room = ndimage.binary_dilation(np.isin(parts, [*edges - {0}]), _FLAT, mask=air & ~lungs)
    body = ~room
    depths, _rows, columns = (np.flatnonzero(lungs.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
    top, bottom = depths[0], depths[-1] + 1
    middle = (columns[0] + columns[-1] + 1) / 2
    result[:top][body[:top]] = ZONES.index("above")
    result[bottom:][body[bottom:]] = ZONES.index("below")
    for depth in range(top, bottom):
        third = min(3 * (depth - top) // (bottom - top), 2)
        row, column = np.nonzero(lungs[depth])
        if not len(row):
            continue
        # Between the lungs in a slice is mediastinum; lateral to them is chest wall.
        between = slice(row.min(), row.max() + 1), slice(column.min(), column.max() + 1)
        part = result[depth]
        part[between][body[depth][between]] = ZONES.index("mediastinum" if third < 2 else "below")
        if column.min() < middle < column.max():
            part[between][_between_lungs(lungs[depth][between])] = ZONES.index("mediastinum")
        part[row, column] = np.where(column < middle, third, 3 + third)
    return result


def _between_lungs(lungs: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Pixels with lung on both sides in their row."""
    before = np.maximum.accumulate(lungs, axis=1)
    after = np.maximum.accumulate(lungs[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(before & after)


def by_zone(values: npt.NDArray[np.floating], where: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Sum attributions of tiles or voxels, (..., count), by zone, (..., zones); Shapley values are additive."""
    flat = where.reshape(-1)
    return np.stack([values[..., flat == zone].sum(axis=-1) for zone in range(len(ZONES))], axis=-1).astype(np.float64)


def _lungs(tiles: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Segment the lungs by watershed: two dark basins, separated from outside air by the bright chest wall."""
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
    # Images differ from their reference by about a tile: include the tiles next to the chest wall and the apex.
    return _wider(right, -1), _wider(left, 1)


def _wider(lung: npt.NDArray[np.bool_], outwards: int) -> npt.NDArray[np.bool_]:
    wide = lung | np.roll(lung, outwards, axis=1)
    return np.asarray(wide | np.roll(wide, -1, axis=0))

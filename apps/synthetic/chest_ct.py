"""Synthetic chest CT volumes with a known nodule position.

Real CT cannot be stored in the repository and none is available for training, yet volumes have to be analysed and
explained. A chest is composed of simple solids (trunk, lungs, heart, spine, ribs, branching vessels, sometimes a scar)
in Hounsfield units, with noise. The anatomy is sufficient to tell a round nodule from a vessel that runs through
several slices; it depicts no person, and its header says SYNTHETIC.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

AIR, LUNG, FAT, SOFT, BONE = -1000.0, -850.0, -90.0, 45.0, 380.0
"""Hounsfield units."""
Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SyntheticChest:
    """A generated volume.

    Attributes:
        voxels: (slices, rows, columns) int16 in Hounsfield units; the first slice is nearest to the head, rows run
            from front to back, columns from the patient's right to the left.
        nodule: bool mask of the same shape: voxels of the nodule; all False if there is none.
        spacing: between slices, rows and columns in mm.
        seed: reproduces the volume.
    """

    voxels: npt.NDArray[np.int16]
    nodule: npt.NDArray[np.bool_]
    spacing: tuple[float, float, float]
    seed: int


def draw_chest(seed: int, *, nodule: bool, shape: tuple[int, int, int] = (60, 256, 256)) -> SyntheticChest:
    """Generate the chest of ``seed``; the same arguments give the same volume, bit for bit.

    Args:
        nodule: whether to place a solid nodule of 12 to 30 mm in a lung.
        shape: slices, rows and columns; at least 16 each.

    Raises:
        ValueError: for a smaller shape.
    """
    if min(shape) < 16:
        raise ValueError("a chest needs at least 16 slices, rows and columns")
    rng = np.random.default_rng([seed, int(nodule)])
    chest = _Chest(rng, shape)
    drawn = np.zeros(shape, dtype=bool)
    if nodule:
        drawn = chest.add_nodule()
    return SyntheticChest(chest.scanned(), drawn, chest.spacing, seed)


class _Chest:
    """Solids on a grid in mm from the chest's centre: x to the patient's left, y to the back, z to the feet.

    ``trunk`` is 1 on the skin and 0 in the centre; lungs stay well within the ribs.
    """

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int, int]) -> None:
        self.rng, self.shape = rng, shape
        length, field = rng.uniform(270, 330), rng.uniform(320, 400)
        self.spacing = (length / shape[0], field / shape[1], field / shape[2])
        z, y, x = (
            ((np.arange(number) + 0.5) * step).astype(np.float32)
            for number, step in zip(shape, self.spacing, strict=True)
        )
        self.middle = field / 2 + rng.normal(0, 6, 2)
        turn = np.deg2rad(rng.normal(0, 3))
        self.turn = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        u, v = x[None, None] - self.middle[0], y[None, :, None] - self.middle[1]
        self.x = (self.turn[0, 0] * u + self.turn[0, 1] * v).astype(np.float32)
        self.y = (self.turn[1, 0] * u + self.turn[1, 1] * v).astype(np.float32)
        self.z = z[:, None, None]
        self.size = rng.uniform(0.88, 1.1)
        width, depth = rng.uniform(150, 165) * self.size, rng.uniform(106, 118) * self.size
        self.trunk = (np.abs(self.x / width) ** 2.2 + np.abs(self.y / depth) ** 2.2).astype(np.float32)
        self.lung = self._lungs(length)
        self.voxels = self._tissue()
        self._add_vessels()
        self._add_scars()

    def _lungs(self, length: float) -> npt.NDArray[np.bool_]:
        rng, size = self.rng, self.size
        apex, base = rng.uniform(18, 40), length - rng.uniform(45, 75)
        along = np.clip((self.z - apex) / (base - apex), 0, 1.4)
        wide = np.sqrt(np.clip(along * 3.2, 0, 1)) * (1 + 0.12 * along)
        wide = np.where(along > 0, wide, 0).astype(np.float32)
        mask = np.zeros(self.shape, dtype=bool)
        heart = self._ellipsoid((rng.uniform(15, 30), rng.uniform(-30, -15), base - rng.uniform(35, 60)), (62, 50, 58))
        for side in (-1, 1):
            centre, half, deep = side * rng.uniform(68, 76) * size, 54 * size, rng.uniform(82, 92) * size
            u = (self.x - centre) / (half * np.maximum(wide, 0.02))
            v = (self.y - 2) / (deep * np.maximum(wide, 0.02))
            across = np.abs(u) ** 2.4 + np.abs(v) ** 2.4 < 1
            dome = base - rng.uniform(30, 45) * (1 - ((self.x - centre) / 60) ** 2 - ((self.y + 10) / 95) ** 2)
            dome = dome + (10 if side < 0 else 0) - 8
            mask |= across & (along > 0) & (self.z < dome) & (np.abs(self.x) > 20 * size) & ~heart
        return mask & (self.trunk < 0.66)

    def _tissue(self) -> Array:
        rng, size = self.rng, self.size
        ring = self.trunk
        body = np.broadcast_to(ring < 1, self.shape)
        voxels = np.full(self.shape, AIR, dtype=np.float32)
        voxels[body] = FAT
        voxels[np.broadcast_to(ring < rng.uniform(0.72, 0.86), self.shape)] = SOFT
        shell = (ring > 0.74) & (ring < 0.86)
        stripes = np.sin(2 * np.pi * (self.z + 0.45 * self.y) / rng.uniform(24, 30)) > 0.35
        voxels[shell & stripes] = BONE
        spine = (self.x / 19) ** 2 + ((self.y - 74 * size) / 17) ** 2 < 1
        voxels[np.broadcast_to(spine, self.shape)] = BONE * 0.7
        voxels[self.lung] = LUNG + rng.normal(0, 25)
        windpipe = (self.x / 9) ** 2 + ((self.y - 12) / 9) ** 2 < 1
        voxels[np.broadcast_to(windpipe, self.shape) & (self.z < 120)] = AIR
        return voxels

    def _add_vessels(self) -> None:
        """Add vessel trees from each hilum, tapering outwards."""
        rng = self.rng
        for side in (-1, 1):
            hilum = np.array([side * 30.0 * self.size, 8.0, rng.uniform(120, 145)])
            for _ in range(int(rng.integers(16, 26))):
                way = rng.normal(size=3) * (0.6, 0.8, 1.0) + (side * 0.8, 0, 0)
                self._vessel(hilum, way / np.linalg.norm(way), rng.uniform(60, 140), rng.uniform(2.0, 4.2), 2)

    def _vessel(self, start: npt.NDArray[np.float64], way: npt.NDArray[np.float64], length: float, radius: float,
                forks: int) -> None:  # fmt: skip
        at, steps = start.copy(), int(length / 4)
        for step in range(steps):
            way = way + self.rng.normal(0, 0.08, 3)
            way /= np.linalg.norm(way)
            at = at + 4 * way
            width = radius * (1 - 0.75 * step / steps)
            self._blob(at, width, SOFT - 10)
            if forks and step and self.rng.random() < 0.12:
                turned = way + self.rng.normal(0, 0.5, 3)
                self._vessel(at, turned / np.linalg.norm(turned), length * 0.55, width * 0.75, forks - 1)

    def _add_scars(self) -> None:
        """Sometimes add a band of atelectasis: dense, but not spherical."""
        rng = self.rng
        if rng.random() > 0.35:
            return
        centre = self._random_position()
        normal = rng.normal(size=3)
        normal /= np.linalg.norm(normal)
        away = [self.x - centre[0], self.y - centre[1], self.z - centre[2]]
        flat = sum(part * number for part, number in zip(away, normal, strict=True))
        distance = np.sqrt(sum(part**2 for part in away))
        self.voxels[(np.abs(flat) < rng.uniform(1.5, 2.5)) & (distance < rng.uniform(20, 40)) & self.lung] = SOFT - 60

    def add_nodule(self) -> npt.NDArray[np.bool_]:
        """Add a solid, slightly irregular sphere within a lung; return its mask."""
        rng = self.rng
        centre, radius = self._random_position(), rng.uniform(6, 15)
        stretch = rng.uniform(0.8, 1.2, 3)
        away = [(self.x - centre[0]) / stretch[0], (self.y - centre[1]) / stretch[1], (self.z - centre[2]) / stretch[2]]
        distance = np.sqrt(away[0] ** 2 + away[1] ** 2 + away[2] ** 2)
        ragged = distance * (
            1 + 0.12 * np.sin(away[0] / 2.1 + rng.uniform(0, 6)) * np.sin(away[1] / 2.3 + away[2] / 2.7)
        )
        where = np.asarray((ragged < radius) & self.lung)
        self.voxels[where] = rng.uniform(-40, 60)
        return where

    def scanned(self) -> npt.NDArray[np.int16]:
        """Return the voxels as scanned: slightly blurred within slices, with noise."""
        blur = (0.35, 0.9 * self.shape[1] / 256, 0.9 * self.shape[2] / 256)
        soft = ndimage.gaussian_filter(self.voxels, blur)
        soft += self.rng.normal(0, self.rng.uniform(8, 25), self.shape).astype(np.float32)
        return np.round(np.clip(soft, -1024, 3000)).astype(np.int16)

    def _random_position(self) -> npt.NDArray[np.float64]:
        """Return a random position in a lung, at least about 6 mm from its border, in mm."""
        margin = [max(1, round(6 / step)) for step in self.spacing]
        inner = ndimage.minimum_filter(self.lung[::2, ::2, ::2], [1 + margin[0] // 2, 1 + margin[1], 1 + margin[2]])
        candidates = np.flatnonzero(inner)
        slice_, row, column = np.unravel_index(candidates[self.rng.integers(len(candidates))], inner.shape)
        return np.array(
            [self.x[0, 2 * row, 2 * column], self.y[0, 2 * row, 2 * column], self.z[2 * slice_, 0, 0]], dtype=np.float64
        )

    def _ellipsoid(
        self, centre: tuple[float, float, float], radii: tuple[float, float, float]
    ) -> npt.NDArray[np.bool_]:
        parts = [(self.x - centre[0]) / radii[0], (self.y - centre[1]) / radii[1], (self.z - centre[2]) / radii[2]]
        return np.asarray(parts[0] ** 2 + parts[1] ** 2 + parts[2] ** 2 < 1)

    def _blob(self, at: npt.NDArray[np.float64], radius: float, value: float) -> None:
        """Add a sphere of soft tissue within the lung, with partial volume for small spheres."""
        column, row = self.turn.T @ at[:2] + self.middle
        boxes = []
        for position, step, number in zip((at[2], row, column), self.spacing, self.shape, strict=True):
            first, last = int((position - radius) / step), int((position + radius) / step) + 1
            boxes.append(slice(max(first, 0), min(max(last, first + 1), number)))
        box = tuple(boxes)
        region = self.voxels[box]
        if not region.size:
            return
        x, y, z = self.x[0, box[1], box[2]], self.y[0, box[1], box[2]], self.z[box[0]]
        distance = np.sqrt((x - at[0]) ** 2 + (y - at[1]) ** 2 + (z - at[2]) ** 2)
        share = np.clip((radius - distance) / max(min(self.spacing), 0.5) + 0.5, 0, 1) * self.lung[box]
        np.maximum(region, region + share * (value - region), out=region)

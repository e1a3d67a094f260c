"""Synthetic frontal chest radiographs with a known opacity.

Real radiographs cannot be stored in the repository, yet the demo, the tests and part of the training need
some. An image is generated as a map of X-ray path lengths (soft tissue, air, bone), converted to grey
values by Beer-Lambert attenuation with quantum noise. The anatomy is sufficient for a model and a
reader to work with, but depicts no person: every image carries the word SYNTHETIC, burnt into
a corner and in its header.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

Pattern = Literal["normal", "focal", "diffuse"]
Array = npt.NDArray[np.float64]

PATTERNS: tuple[Pattern, ...] = ("normal", "focal", "diffuse")
STORED_BITS = 12


@dataclass(frozen=True)
class SyntheticFilm:
    """A generated radiograph.

    Attributes:
        pixels: (size, size) uint16, 12 bits stored, MONOCHROME2 (bone is bright).
        opacity: (size, size) bool mask of noticeable opacity; all False if normal.
        pattern: kind of opacity.
        seed: reproduces the image.
    """

    pixels: npt.NDArray[np.uint16]
    opacity: npt.NDArray[np.bool_]
    pattern: Pattern
    seed: int


def draw_film(seed: int, *, pattern: Pattern = "normal", size: int = 512) -> SyntheticFilm:
    """Generate the radiograph of ``seed``.

    Args:
        seed: the same seed, pattern and size give the same image, bit for bit.
        pattern: ``normal``; ``focal``, one dense consolidation; ``diffuse``, patches in both lungs.
        size: rows and columns in pixels, at least 64.

    Raises:
        ValueError: for an unknown pattern or a size below 64.
    """
    if pattern not in PATTERNS:
        raise ValueError(f"unknown pattern {pattern!r}: use one of {', '.join(PATTERNS)}")
    if size < 64:
        raise ValueError("an image needs at least 64 rows and columns")
    rng = np.random.default_rng([seed, PATTERNS.index(pattern)])
    body = _Anatomy(rng, size)
    opacity = np.zeros((size, size))
    if pattern == "focal":
        opacity = _focal_opacity(rng, body)
    elif pattern == "diffuse":
        opacity = _diffuse_opacity(rng, body)
    grey = _expose(rng, body.path_length() + opacity)
    pixels = _burn_in(np.round(grey * (2**STORED_BITS - 1)).astype(np.uint16))
    return SyntheticFilm(pixels, opacity > 0.12, pattern, seed)


class _Anatomy:
    """Path lengths in arbitrary units on a unit square, x to the right, y downwards."""

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        self.rng, self.size = rng, size
        lin = (np.arange(size) + 0.5) / size
        y, x = np.meshgrid(lin, lin, indexing="ij")
        angle = np.deg2rad(rng.normal(0, 2.5))
        zoom = rng.uniform(0.92, 1.12)
        dx, dy = rng.normal(0, 0.015, 2)
        u, v = (x - 0.5 - dx) / zoom, (y - 0.5 - dy) / zoom
        self.x = 0.5 + u * np.cos(angle) - v * np.sin(angle)
        self.y = 0.5 + u * np.sin(angle) + v * np.cos(angle)
        self.half_width = rng.uniform(0.155, 0.185)
        self.apex, self.base = rng.uniform(0.13, 0.19), rng.uniform(0.70, 0.80)
        self.right, self.left = self._lung(-1), self._lung(+1)

    @property
    def lungs(self) -> Array:
        """Lung mask (size, size): 1 within either lung, with soft edges."""
        return np.maximum(self.right, self.left)

    def _lung(self, side: int) -> Array:
        """Return one lung: a tall ellipse bounded by the dome of the diaphragm and the mediastinum."""
        offset = self.rng.uniform(0.165, 0.185)
        cx, cy = 0.5 + side * offset, (self.apex + self.base) / 2 + 0.03
        height = (self.base - self.apex) / 2 + 0.08
        taper = 1 - 0.35 * np.clip((cy - self.y) / height, 0, 1) ** 1.5
        radius = ((self.x - cx) / (self.half_width * taper)) ** 2 + ((self.y - cy) / height) ** 2
        dome_top = self.base + (0.035 if side > 0 else 0.0)
        dome = dome_top + 0.9 * (self.x - cx - side * 0.03) ** 2 / self.half_width
        return _soft(1 - radius, 0.05) * _soft(dome - self.y, 0.006)

    def path_length(self) -> Array:
        """Return path lengths (size, size): soft tissue plus bone minus air."""
        return self._torso() + self._bones() + self._mediastinum() - self.lungs * self._air()

    def _torso(self) -> Array:
        rng = self.rng
        width = 0.40 + 0.05 * np.sin(np.pi * np.clip(self.y, 0, 1)) + rng.normal(0, 0.012)
        trunk = _soft(1 - np.abs(self.x - 0.5) / width, 0.03) * np.sqrt(
            np.clip(1.15 - ((self.x - 0.5) / width) ** 2, 0.02, None)
        )
        arms = sum(
            0.8 * _soft(0.15 - np.hypot((self.x - c) * 0.9, (self.y - 0.36) * 0.42), 0.03)
            for c in (0.5 - rng.uniform(0.40, 0.45), 0.5 + rng.uniform(0.40, 0.45))
        )
        belly = 0.55 * _soft(self.y - self.base, 0.12)
        return 1.15 * np.maximum(trunk, arms) + belly * trunk

    def _air(self) -> Array:
        """Return the tissue displaced by air, less the vessels that fan out from the hila."""
        vessels = np.zeros((self.size, self.size))
        for side in (-1, 1):
            hilum = (0.5 + side * 0.075, 0.42)
            vessels += 0.22 * np.exp(-(((self.x - hilum[0]) / 0.05) ** 2 + ((self.y - hilum[1]) / 0.09) ** 2))
            for _ in range(14):
                vessels += self._vessel(hilum, side)
        texture = ndimage.gaussian_filter(self.rng.normal(size=vessels.shape), self.size / 90)
        texture *= 0.03 / (texture.std() + 1e-9)
        return np.clip(self.rng.uniform(0.78, 0.92) - vessels + texture, 0, None)

    def _vessel(self, hilum: tuple[float, float], side: int) -> Array:
        angle = self.rng.uniform(-1.25, 1.25)
        ux, uy = side * np.cos(angle), np.sin(angle)
        along = (self.x - hilum[0]) * ux + (self.y - hilum[1]) * uy
        bend = self.rng.normal(0, 0.6) * along**2
        across = -(self.x - hilum[0]) * uy + (self.y - hilum[1]) * ux - bend
        length = self.rng.uniform(0.10, 0.24)
        width = 0.007 * np.clip(1 - along / length, 0.15, 1)
        drawn = np.exp(-((across / width) ** 2)) * _soft(along, 0.01) * _soft(length - along, 0.03)
        return self.rng.uniform(0.08, 0.2) * drawn

    def _mediastinum(self) -> Array:
        rng = self.rng
        spine = 0.34 * np.exp(-(((self.x - 0.5) / 0.042) ** 4))
        discs = 1 + 0.14 * np.sin(2 * np.pi * (self.y / rng.uniform(0.062, 0.072)))
        cx, cy = 0.5 + rng.uniform(0.03, 0.055), rng.uniform(0.56, 0.60)
        rx, ry = rng.uniform(0.105, 0.135), rng.uniform(0.135, 0.165)
        heart = 0.62 * np.clip(1 - ((self.x - cx) / rx) ** 2 - ((self.y - cy) / ry) ** 2, 0, None) ** 0.35
        vessels = 0.38 * np.exp(-(((self.x - 0.505) / rng.uniform(0.05, 0.065)) ** 4)) * _soft(0.55 - self.y, 0.05)
        trachea = 0.2 * np.exp(-(((self.x - 0.5) / 0.02) ** 2)) * _soft(0.33 - self.y, 0.02)
        return spine * discs + heart + vessels - trachea

    def _bones(self) -> Array:
        bones = np.zeros((self.size, self.size))
        spacing = self.rng.uniform(0.066, 0.078)
        for number in range(10):
            bones += self._rib(self.apex - 0.01 + number * spacing, number)
        for side in (-1, 1):
            across = np.abs(self.x - 0.5)
            curve = 0.145 - 0.10 * (across - 0.05) + self.rng.normal(0, 0.004)
            inside = _soft(across - 0.04, 0.01) * _soft(0.34 - across, 0.01) * (side * (self.x - 0.5) > 0)
            bones += 0.26 * np.exp(-(((self.y - curve) / 0.012) ** 4)) * inside
        return bones

    def _rib(self, top: float, number: int) -> Array:
        """Return a rib: a posterior arch falling outwards and a fainter anterior one rising outwards."""
        across = np.abs(self.x - 0.5)
        reach = 0.17 + 0.20 * np.sqrt(min(1.0, (number + 1.5) / 6))
        edge = _soft(reach - across, 0.008) * _soft(across - 0.045, 0.01)
        posterior = top + 0.9 * np.clip(across - 0.05, 0, None) ** 1.45
        anterior = top + 0.21 - 0.35 * np.clip(across - 0.12, 0, None)
        thickness = 0.0105
        back = 0.17 * np.exp(-(((self.y - posterior) / thickness) ** 4))
        front = 0.08 * np.exp(-(((self.y - anterior) / (1.3 * thickness)) ** 4)) * _soft(across - 0.12, 0.02)
        rim = 0.14 * np.exp(-(((across - reach) / 0.010) ** 2)) * _soft(self.y - posterior + 0.01, 0.01)
        rim = rim * _soft(posterior + 0.07 - self.y, 0.01)
        return (back + front) * edge + rim


def _focal_opacity(rng: np.random.Generator, body: _Anatomy) -> Array:
    """Return one consolidation: a dense, irregular opacity in one lung, as in lobar pneumonia."""
    lung = body.right if rng.random() < 0.55 else body.left
    rows, columns = np.nonzero(lung > 0.9)
    pick = rng.integers(len(rows))
    cy, cx = body.y[rows[pick], columns[pick]], body.x[rows[pick], columns[pick]]
    rx, ry = rng.uniform(0.06, 0.12), rng.uniform(0.07, 0.14)
    radius = np.sqrt(((body.x - cx) / rx) ** 2 + ((body.y - cy) / ry) ** 2)
    ragged = radius + 0.22 * _clouds(rng, body.size, 0.03)
    return rng.uniform(0.42, 0.75) * _soft(1 - ragged, 0.45) * lung


def _diffuse_opacity(rng: np.random.Generator, body: _Anatomy) -> Array:
    """Return patchy, streaky opacities around both hila, as often in viral pneumonia."""
    clouds = np.clip(_clouds(rng, body.size, 0.022) + 0.35, 0, None)
    central = np.exp(-(((np.abs(body.x - 0.5) - 0.13) / 0.12) ** 2) - ((body.y - 0.47) / 0.22) ** 2)
    return rng.uniform(0.20, 0.36) * clouds * central * body.lungs


def _clouds(rng: np.random.Generator, size: int, scale: float) -> Array:
    """Return smooth noise (size, size) with unit variance; ``scale`` is a fraction of the image size."""
    noise = ndimage.gaussian_filter(rng.normal(size=(size, size)), scale * size)
    return np.asarray(noise / (noise.std() + 1e-9))


def _expose(rng: np.random.Generator, path: Array) -> Array:
    """Simulate Beer-Lambert transmission with quantum noise; return grey values in 0..1, bone bright."""
    size = path.shape[0]
    path = ndimage.gaussian_filter(np.clip(path, 0, None), size / 700)
    transmitted = np.exp(-rng.uniform(1.5, 1.9) * path)
    photons = rng.uniform(4e3, 2e4)
    measured = np.clip(rng.normal(transmitted * photons, np.sqrt(transmitted * photons)), 1, None)
    grey = -np.log(measured / photons)
    low, high = np.percentile(grey, [0.5, 99.7])
    grey = np.clip((grey - low) / (high - low), 0, 1) ** rng.uniform(0.85, 1.2)
    ceiling = rng.uniform(0.85, 1.0)
    return np.asarray(rng.uniform(0.0, 0.08) + grey * (ceiling - 0.08))


def _burn_in(pixels: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """Write SYNTHETIC into a corner and the side marker R beside the patient's right shoulder."""
    size = pixels.shape[0]
    drawing = Image.new("L", (size, size))
    pen = ImageDraw.Draw(drawing)
    pen.text((size * 0.02, size * 0.955), "SYNTHETIC", fill=255, font=_font(size * 0.028))
    pen.text((size * 0.035, size * 0.06), "R", fill=255, font=_font(size * 0.055))
    ink = np.asarray(drawing, dtype=np.uint16) * ((2**STORED_BITS - 1) // 255)
    return np.maximum(pixels, ink)


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=max(8, int(size)))


def _soft(distance: Array, width: float) -> Array:
    """Return a smooth step from 0 to 1 at ``distance`` 0, about ``width`` wide."""
    return np.asarray(1 / (1 + np.exp(-np.clip(4 * distance / width, -60, 60))))

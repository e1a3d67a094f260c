"""Query parameters of rendered resources: window, viewport and quality (PS3.18 section 8.3.5)."""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_VIEWPORT = 4_096
"""Pixels on a side: a picture of 48 MiB in colour."""
_FUNCTIONS = {"linear": "LINEAR", "linear-exact": "LINEAR_EXACT", "sigmoid": "SIGMOID"}


class BadParameter(ValueError):
    """A query parameter that is malformed or out of range: 400. Names the parameter."""

    def __init__(self, parameter: str, expected: str) -> None:
        super().__init__(f"{parameter}: expected {expected}")
        self.parameter, self.expected = parameter, expected


@dataclass(frozen=True)
class Window:
    """Window in the units of the modality transformation, and its function (PS3.3 section C.11.2.1.2)."""

    center: float
    width: float
    function: str = "LINEAR"

    @property
    def is_valid(self) -> bool:
        """Return whether the width is one that the function allows."""
        least = 1.0 if self.function == "LINEAR" else math.ulp(0.0)
        return math.isfinite(self.center) and math.isfinite(self.width) and self.width >= least


@dataclass(frozen=True)
class Viewport:
    """Size of the picture in pixels, and the region of the image that it shows.

    Attributes:
        left, top: first column and row of the region, from 0.
        region_width, region_height: in image pixels, None up to the edge; a negative one flips the picture.
    """

    width: int
    height: int
    left: float = 0.0
    top: float = 0.0
    region_width: float | None = None
    region_height: float | None = None


def parse_window(text: str) -> Window:
    """Parse ``center,width,function`` (PS3.18 section 8.3.5.1.4); without a function it is linear.

    Raises:
        BadParameter: ``window``.
    """
    expected = "center,width,function with a width of at least 1 and linear, linear-exact or sigmoid"
    parts = [part.strip() for part in text.split(",")]
    function = _FUNCTIONS.get((parts[2] if len(parts) == 3 else "linear").lower().replace("_", "-"))
    if len(parts) not in (2, 3) or function is None:
        raise BadParameter("window", expected)
    window = Window(_number(parts[0], "window", expected), _number(parts[1], "window", expected), function)
    if not window.is_valid:
        raise BadParameter("window", expected)
    return window


def parse_viewport(text: str) -> Viewport:
    """Parse ``vw,vh`` or ``vw,vh,sx,sy,sw,sh`` (PS3.18 section 8.3.5.1.3); an omitted number is the default.

    Raises:
        BadParameter: ``viewport``.
    """
    expected = f"vw,vh or vw,vh,sx,sy,sw,sh with vw and vh from 1 to {MAX_VIEWPORT}"
    parts = [part.strip() for part in text.split(",")]
    if len(parts) not in (2, 6):
        raise BadParameter("viewport", expected)
    numbers = [_number(part, "viewport", expected) if part else None for part in parts]
    width, height, left, top, region_width, region_height = (*numbers, None, None, None, None)[:6]
    sizes = (width, height)
    if any(size is None or not 1 <= size <= MAX_VIEWPORT or not size.is_integer() for size in sizes):
        raise BadParameter("viewport", expected)
    if (left or 0) < 0 or (top or 0) < 0 or region_width == 0 or region_height == 0:
        raise BadParameter("viewport", expected)
    assert width is not None and height is not None
    return Viewport(int(width), int(height), left or 0.0, top or 0.0, region_width, region_height)


def parse_quality(text: str) -> int:
    """Parse the quality of lossy compression, 1 to 100 (PS3.18 section 8.3.5.1.2).

    Raises:
        BadParameter: ``quality``.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= 100):
        raise BadParameter("quality", "a whole number from 1 to 100")
    return int(text)


def _number(text: str, parameter: str, expected: str) -> float:
    try:
        number = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadParameter(parameter, expected)
    return number

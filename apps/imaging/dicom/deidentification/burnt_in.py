"""Burnt-in text in pixel data: detected, blanked, and checked again (PS3.15 section E.3.1)."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.generic]
Box = tuple[int, int, int, int]
"""Top, left, bottom, right in pixels; bottom and right exclusive."""

MIN_SIDE = 32
MIN_SCORE = 0.5
_MARGIN = 3
ROUNDS = 3


class TextRemains(Exception):
    """Text remains after blanking: the image must not be exported."""


def blank_text(pixels: Pixels) -> tuple[Pixels, list[Box]]:
    """Find text in an image and fill it with the image's darkest value.

    Args:
        pixels: (rows, columns) grey or (rows, columns, 3) RGB, of any integer type.

    Returns:
        The image (a copy if anything was blanked) and the blanked boxes.

    Raises:
        TextRemains: if text is still found after :data:`ROUNDS` rounds.
    """
    blanked: list[Box] = []
    for _ in range(ROUNDS):
        boxes = find_text(pixels)
        if not boxes:
            return pixels, blanked
        pixels = pixels.copy()
        dark = pixels.min()
        for top, left, bottom, right in boxes:
            pixels[top:bottom, left:right] = dark
        blanked += boxes
    if find_text(pixels):
        raise TextRemains
    return pixels, blanked


def find_text(pixels: Pixels) -> list[Box]:
    """Return boxes around text, bright on dark and dark on bright, in any script.

    PP-OCR's detector (differentiable binarisation, Liao et al. 2020) and recogniser, as packed in
    rapidocr, applied to the image and to an enlargement by 2, which reveals small annotations.
    """
    import cv2  # imported here: the web process does not need it

    rows, columns = pixels.shape[:2]
    if min(rows, columns) < MIN_SIDE:
        return []
    image = _to_rgb(pixels)
    boxes = set()
    for scale in (1, 2) if max(rows, columns) <= 1600 else (1,):
        enlarged = image if scale == 1 else np.asarray(cv2.resize(image, None, fx=scale, fy=scale), np.uint8)
        for corners in _read(enlarged):
            boxes.add(_box(np.asarray(corners) / scale, rows, columns))
    return sorted(boxes)


def _read(image: npt.NDArray[np.uint8]) -> list[Any]:
    """Return the corners of text that the recogniser could read: the detector alone mistakes ribs for text.

    A single character is a side marker, which is needed and identifies nobody.
    """
    detections, _ = _reader()(image)
    return [
        corners
        for corners, text, score in detections or []
        if float(score) >= MIN_SCORE and len([character for character in text if character.isalnum()]) > 1
    ]


@cache
def _reader() -> Any:
    from rapidocr_onnxruntime import RapidOCR

    return RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)


def _to_rgb(pixels: Pixels) -> npt.NDArray[np.uint8]:
    values = pixels.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    scaled = ((values - low) * (255.0 / max(high - low, 1e-6))).astype(np.uint8)
    return np.repeat(scaled[..., None], 3, axis=2) if scaled.ndim == 2 else np.ascontiguousarray(scaled[..., :3])


def _box(corners: npt.NDArray[np.floating[Any]], rows: int, columns: int) -> Box:
    left, top = np.floor(corners.min(axis=0)).astype(int) - _MARGIN
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + _MARGIN
    return max(0, int(top)), max(0, int(left)), min(rows, int(bottom)), min(columns, int(right))

"""Batch prediction on DICOM, PNG or JPEG files outside the portal, one row per file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from apps.imaging.dicom.attributes import age_at, read_attributes
from apps.imaging.dicom.parser import Unreadable, looks_like_dicom, open_object
from apps.imaging.dicom.pixels import grey_frame
from apps.inference.engines.input_checks import ImageAttributes, InputRejected, check_age, check_film, check_pixels

MAX_IMAGE_PIXELS = 100_000_000


@dataclass(frozen=True)
class FileFilm:
    """A file's image, or why it cannot be assessed."""

    path: Path
    pixels: Any = None
    problem: InputRejected | Unreadable | None = None


def files_in(paths: list[Path]) -> list[Path]:
    """The given files, and all files below the given folders, sorted.

    Raises:
        FileNotFoundError: for a path that does not exist.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist")
        files += sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return files


def read_film(path: Path, card: dict[str, Any], age: float | None = None) -> FileFilm:
    """Read a file and check it against the card's ``input`` and ``patient_age``.

    Args:
        age: in years, used if the file does not state it.
    """
    try:
        pixels, facts, ages = _read_dicom(path) if _is_dicom(path) else _read_image(path)
        check_film(card["input"], facts)
        check_age(card.get("patient_age"), ages if any(known is not None for known in ages) else [age])
        check_pixels(pixels)
    except (InputRejected, Unreadable) as problem:
        return FileFilm(path, problem=problem)
    return FileFilm(path, pixels)


def read_films(files: list[Path], card: dict[str, Any], age: float | None = None) -> Iterator[FileFilm]:
    """Read files lazily, in order."""
    return (read_film(path, card, age) for path in files)


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        return looks_like_dicom(stream)


def _read_dicom(path: Path) -> tuple[Any, ImageAttributes, list[float | None]]:
    with path.open("rb") as stream:
        dicom = open_object(stream)
        dicom.require_frames()
        attributes = read_attributes(dicom.header)
        film = ImageAttributes(
            attributes.modality,
            attributes.body_part,
            attributes.view_position,
            attributes.photometric,
            attributes.rows,
            attributes.columns,
            dicom.frames,
        )
        if not attributes.photometric.startswith("MONOCHROME"):
            raise InputRejected("colour")
        frame = next(dicom.iter_frames())
        pixels = grey_frame(dicom.header, frame, transfer_syntax=dicom.transfer_syntax, pixel_tag=dicom.pixel_tag)
    return pixels, film, [attributes.age, age_at(attributes.birth_date, attributes.study_date)]


def _read_image(path: Path) -> tuple[Any, ImageAttributes, list[float | None]]:
    try:
        with Image.open(path, formats=["PNG", "JPEG"]) as image:
            if image.width * image.height > MAX_IMAGE_PIXELS:
                raise Unreadable("frame_too_large", mebibytes=MAX_IMAGE_PIXELS // 2**20)
            grey = _grey(image)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputRejected("unreadable_file") from error
    return grey, ImageAttributes("", "", "", "MONOCHROME2", grey.shape[0], grey.shape[1], 1), []


def _grey(image: Image.Image) -> Any:
    """Grey values of an image; an RGB image counts as grey if its channels are equal up to JPEG's rounding."""
    if image.mode in {"L", "I", "F", "1"} or image.mode.startswith("I;"):
        return np.asarray(image).astype(np.float32)
    channels = np.asarray(image.convert("RGB")).astype(np.int16)
    if np.abs(channels - channels.mean(axis=2, keepdims=True)).max() > 4:
        raise InputRejected("colour")
    return channels.mean(axis=2).astype(np.float32)

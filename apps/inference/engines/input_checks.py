"""Checks of an input against a package's intended use; no Django."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


class InputRejected(Exception):
    """The input is outside the package's intended use: a message code and its parameters."""

    def __init__(self, code: str, **parameters: str | int) -> None:
        super().__init__(code)
        self.code, self.parameters = code, parameters


@dataclass(frozen=True)
class ImageAttributes:
    """Attributes from an image's header; empty if not stated (as in a PNG)."""

    modality: str
    body_part: str
    view: str
    photometric: str
    rows: int
    columns: int
    frames: int


def check_series(declared: dict[str, Any], *, modality: str, body_part: str) -> None:
    """Check a series against the card's ``input``.

    Raises:
        InputRejected: for another modality or body part.
    """
    if modality and modality not in declared["modalities"]:
        raise InputRejected("wrong_modality", wanted=", ".join(declared["modalities"]), got=modality)
    parts = declared.get("body_parts", [])
    if parts and body_part and not any(part in body_part for part in parts):
        raise InputRejected("wrong_body_part", got=body_part)


def check_film(declared: dict[str, Any], film: ImageAttributes) -> None:
    """Check an image's header against the card's ``input``.

    Raises:
        InputRejected: for the first mismatch.
    """
    check_series(declared, modality=film.modality, body_part=film.body_part)
    if film.view and film.view not in declared["views"]:
        raise InputRejected("wrong_view", got=film.view)
    if film.photometric not in declared["photometric"]:
        raise InputRejected("colour")
    if film.frames > 1:
        raise InputRejected("several_frames", frames=film.frames)
    least = declared["minimum_size"]
    if min(film.rows, film.columns) < least:
        raise InputRejected("too_small", rows=film.rows, columns=film.columns, least=least)


def check_age(declared: dict[str, Any] | None, ages: Iterable[float | None]) -> None:
    """Check a patient's age at the time of the study against the card's ``patient_age``.

    Args:
        ages: in years, from each source (Patient's Age, date of birth); None if not stated. All known ages must be in
            range: if sources disagree, it is unknown which is right.

    Raises:
        InputRejected: ``too_young``, ``too_old``, or ``age_unknown`` if the card refuses unknown ages.
    """
    if not declared:
        return
    least, most = declared.get("minimum"), declared.get("maximum")
    known = [math.floor(age) for age in ages if age is not None]
    if not known and declared["unknown"] == "refuse":
        raise InputRejected("age_unknown")
    if least is not None and any(age < least for age in known):
        raise InputRejected("too_young", least=least)
    if most is not None and any(age > most for age in known):
        raise InputRejected("too_old", most=most)


def check_slice(declared: dict[str, Any], film: ImageAttributes) -> None:
    """Check the header of a volume's slice against the card's ``input``.

    Raises:
        InputRejected: for the first mismatch.
    """
    check_film({**declared, "views": [film.view]}, film)


def check_extent(declared: dict[str, Any], length: float) -> None:
    """Check a volume's craniocaudal length in mm against the card's ``input``.

    Raises:
        InputRejected: if it is too short or too long.
    """
    low, high = declared.get("extent", (0.0, float("inf")))
    if not low <= length <= high:
        raise InputRejected("wrong_extent", length=round(length), low=round(low), high=round(high))


def check_pixels(pixels: npt.NDArray[np.generic]) -> None:
    """Reject a blank image or volume.

    Raises:
        InputRejected: ``uniform`` if the central 98 % of the values are equal.
    """
    low, high = np.percentile(pixels.astype(np.float32), [1, 99])
    if not high > low:
        raise InputRejected("uniform")


def check_novelty(novelty: float, limit: float | None) -> None:
    """Reject an image whose novelty score exceeds the package's limit (out of distribution).

    Raises:
        InputRejected: with both numbers.
    """
    if limit is not None and not novelty <= limit:  # also rejects NaN
        raise InputRejected("unlike_training", novelty=f"{novelty:.3f}", limit=f"{limit:.3f}")

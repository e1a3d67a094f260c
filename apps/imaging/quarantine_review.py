"""What a quarantined file is, and how it differs from what is stored: read from the file itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from apps.imaging.dicom.attributes import Attributes, read_attributes
from apps.imaging.dicom.differences import Comparison, compare
from apps.imaging.dicom.layout import Extent
from apps.imaging.dicom.parser import DicomObject, Unreadable, open_object
from apps.imaging.dicom.pixels import transcode_native
from apps.imaging.dicom.render import encode_picture, render_frame
from apps.imaging.dicom.render_options import Viewport
from apps.imaging.incoming import display_problem
from apps.imaging.models import Instance, QuarantinedFile, Study
from apps.imaging.quarantine import open_held
from apps.imaging.queries import open_instance
from apps.patients.models import Patient
from apps.protection.keys import CannotOpen

PICTURE = Viewport(768, 768)
MAX_COMPARED_BYTES = 512 * 2**20
"""Pixels of two encodings are decoded up to this size to compare them."""


@dataclass(frozen=True)
class Held:
    """What a quarantined file says of itself.

    Attributes:
        frames: number of frames; 0 for an object without pixels.
        problem: reason code why its pixels cannot be shown.
    """

    attributes: Attributes
    frames: int
    problem: str


@dataclass(frozen=True)
class Stored:
    """The stored object with the same SOP Instance UID, beside the quarantined one.

    Attributes:
        comparison: of their elements; None if the stored file cannot be read.
        same_pixels: None if that is not known.
        has_pixels: whether one of them has any.
    """

    instance: Instance
    comparison: Comparison | None = None
    same_pixels: bool | None = None
    has_pixels: bool = True


@contextmanager
def open_held_object(quarantined: QuarantinedFile) -> Iterator[DicomObject]:
    """Open and parse the file.

    Raises:
        FileNotFoundError, CannotOpen: see :func:`~apps.imaging.quarantine.open_held`.
        Unreadable: if it cannot be parsed.
    """
    with open_held(quarantined) as file:
        yield open_object(file.as_file())


def review(quarantined: QuarantinedFile) -> Held | None:
    """Read the file; None if it is lost or damaged in storage."""
    try:
        with open_held_object(quarantined) as dicom:
            return Held(read_attributes(dicom.header), dicom.frames, display_problem(dicom))
    except (FileNotFoundError, CannotOpen, Unreadable):
        return None


def picture_of(quarantined: QuarantinedFile) -> bytes:
    """Draw the frame in the middle as PNG.

    Raises:
        FileNotFoundError, CannotOpen: if the file is lost or damaged.
        Unreadable: if there is nothing to draw.
    """
    with open_held_object(quarantined) as dicom:
        dicom.require_frames()
        number = (dicom.frames + 1) // 2
        frame = dicom.layout.frame(dicom.stream, number)
        drawn = render_frame(
            dicom.header,
            frame,
            transfer_syntax=dicom.transfer_syntax,
            pixel_tag=dicom.pixel_tag,
            number=number,
            viewport=PICTURE,
        )
        return encode_picture([drawn], "image/png")


def patient_of_study(study_uid: str) -> Patient | None:
    """Return the patient under whom a study is stored: visible or not, deleted (and not yet destroyed) or not."""
    study = Study.every.select_related("patient").filter(study_instance_uid=study_uid).first()
    return study.patient if study else None


def compare_with(instance: Instance, quarantined: QuarantinedFile) -> Stored:
    """Compare the file with a stored instance."""
    try:
        with open_held_object(quarantined) as received, open_instance(instance) as stored:
            comparison = compare(stored.header, received.header, large=(_large(stored), _large(received)))
            has_pixels = bool(stored.layout.pixel_tag or received.layout.pixel_tag)
            return Stored(instance, comparison, _same_pixels(stored, received), has_pixels)
    except (FileNotFoundError, CannotOpen, Unreadable):
        return Stored(instance)


def _large(dicom: DicomObject) -> dict[int, str]:
    """Return digests of the values that are not in the header, with their lengths."""
    return {
        bulk.tag: f"{_digest(dicom, bulk.extent).hex()[:16]} ({_length(bulk.extent)} B)" for bulk in dicom.layout.bulk
    }


def _length(extent: Extent) -> int:
    return extent[1] - extent[0]


def _same_pixels(stored: DicomObject, received: DicomObject) -> bool | None:
    """Compare the pixels: as stored if both are encoded alike, else decoded; None if that is not possible."""
    pair = (stored, received)
    if not stored.layout.pixel_tag and not received.layout.pixel_tag:
        return True
    if stored.layout.transfer_syntax == received.layout.transfer_syntax:
        first, second = (_digest(dicom, dicom.layout.pixel) for dicom in pair)
        if first == second:
            return True
        if not stored.transfer_syntax.is_compressed:
            return False
    if not all(dicom.frames and not dicom.layout.problem for dicom in pair):
        return None
    if stored.frames != received.frames:
        return False
    if any(_native_size(dicom) > MAX_COMPARED_BYTES for dicom in pair):
        return None
    try:
        return all(_native(stored, number) == _native(received, number) for number in range(1, stored.frames + 1))
    except (Unreadable, EOFError):
        return None


def _digest(dicom: DicomObject, extent: Extent) -> bytes:
    digest = hashlib.sha256()
    position, end = extent
    dicom.stream.seek(position)
    while position < end and (block := dicom.stream.read(min(2**20, end - position))):
        digest.update(block)
        position += len(block)
    return digest.digest()


def _native_size(dicom: DicomObject) -> int:
    header = dicom.header
    sizes = (header.get("Rows") or 0, header.get("Columns") or 0, header.get("SamplesPerPixel") or 1)
    rows, columns, samples = (int(size) for size in sizes)
    return rows * columns * samples * int(header.get("BitsAllocated") or 8) // 8 * dicom.frames


def _native(dicom: DicomObject, number: int) -> bytes:
    return transcode_native(
        dicom.header,
        dicom.layout.frame(dicom.stream, number),
        transfer_syntax=dicom.transfer_syntax,
        pixel_tag=dicom.pixel_tag,
    )

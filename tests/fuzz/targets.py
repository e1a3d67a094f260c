"""What is fuzzed: each target takes any bytes and says whether it read them; it raises nothing."""

from __future__ import annotations

import io
import logging
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from pydicom.data import get_testdata_file

from apps.imaging.dicom.archives import entries, looks_like_zip
from apps.imaging.dicom.attributes import read_attributes
from apps.imaging.dicom.multipart import boundary_of, parts
from apps.imaging.dicom.parser import Limits, Unreadable, open_object
from apps.imaging.dicom.pixels import decode_frame
from tests.factories import film_file

FOUND = Path(__file__).with_name("found")
SMALL = Limits(header_bytes=2**20, frame_bytes=2**20, frames=50, inflated_bytes=2**22)
_SEEDS = (
    "CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "JPEG-LL.dcm", "SC_rgb_small_odd.dcm",
    "image_dfl.dcm", "rtplan.dcm", "liver_1frame.dcm", "examples_palette.dcm", "693_J2KI.dcm", "nested_priv_SQ.dcm",
)  # fmt: skip
_LARGEST_SEED = 64 * 2**10


def film(content: bytes) -> bool:
    """The way of an uploaded file up to its decoded frames."""
    try:
        dicom = open_object(io.BytesIO(content), SMALL)
        read_attributes(dicom.header)
        for number, frame in enumerate(dicom.iter_frames()):
            decode_frame(dicom.header, frame, transfer_syntax=dicom.transfer_syntax, pixel_tag=dicom.pixel_tag)
            if number == 2:
                break
    except Unreadable:
        return False
    return True


def archive(content: bytes) -> bool:
    """An uploaded ZIP, every entry read."""
    if not looks_like_zip(io.BytesIO(content)):
        return False
    try:
        for entry in entries(io.BytesIO(content)):
            if entry.content is not None:
                entry.content.read()
    except Unreadable:
        return False
    return True


def related(content: bytes) -> bool:
    """A STOW-RS body: its first line is the content type."""
    kind, _, body = content.partition(b"\n")
    try:
        boundary = boundary_of(kind.decode("latin-1"))
        for part in parts(io.BytesIO(body), boundary, max_bytes=2**20):
            with part:
                part.content.read()
    except Unreadable:
        return False
    return True


TARGETS: dict[str, Callable[[bytes], bool]] = {"film": film, "archive": archive, "related": related}


def seeds(target: str) -> Iterator[bytes]:
    """Good inputs to begin with."""
    if target == "film":
        yield film_file(size=64)
        for name in _SEEDS:
            path = get_testdata_file(name, download=False)
            if path and Path(path).stat().st_size <= _LARGEST_SEED:
                yield Path(path).read_bytes()
    elif target == "archive":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as writer:
            writer.writestr("a/film.dcm", film_file(size=64))
            writer.writestr("b.txt", b"text " * 50)
        yield packed.getvalue()
    else:
        head = b'multipart/related; type="application/dicom"; boundary=XX\n'
        yield head + b"--XX\r\nContent-Type: application/dicom\r\n\r\n" + film_file(size=64) + b"\r\n--XX--\r\n"


def be_quiet() -> None:
    """pydicom warns of everything that is odd."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)

"""Converting a stored object to another transfer syntax without loss, frame by frame, for clients that ask for it."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian

from apps.imaging.dicom.element_values import BINARY_UNITS, little_endian
from apps.imaging.dicom.parser import DEFLATED, DicomObject
from apps.imaging.dicom.transcode import Transcoded, targets, transcode

_UNITS_SWAPPED = frozenset(vr for vr, unit in BINARY_UNITS.items() if unit > 1)
_ITEM = struct.Struct("<HHI")
_NATIVE_VRS = {0x7FE00008: "OF", 0x7FE00009: "OD"}


def conversions(dicom: DicomObject) -> frozenset[str]:
    """Return the transfer syntaxes to which :func:`converted` converts an object, judged by its header."""
    source = dicom.layout.transfer_syntax
    if not dicom.layout.pixel_tag:
        return frozenset({str(ExplicitVRLittleEndian)} - {source})
    if dicom.layout.problem or not dicom.frames:
        return frozenset()
    return targets(dicom.header, UID(source), pixel_tag=dicom.pixel_tag)


def converted(dicom: DicomObject, target: UID) -> Iterator[bytes]:
    """Yield a DICOM file (PS3.10) with the same data set in another transfer syntax.

    Frames are converted one at a time.

    Raises:
        CannotTranscode: if the first frame cannot be converted exactly; raised before anything is yielded.
        Unreadable: if it cannot be decoded.
    """
    dataset, pixel_tag = _complete(dicom), dicom.layout.pixel_tag
    first = _frame(dicom, 1, target) if pixel_tag else None
    if first is not None:
        dataset.update(first.changes)
    after = Dataset()
    for tag in [tag for tag in dataset.keys() if pixel_tag and tag > pixel_tag]:  # noqa: SIM118
        after[tag] = dataset.pop(tag)
    yield _file_start(dataset, dicom, target)
    if first is not None:
        yield from _pixels(dicom, first, target)
    yield _encoded(after)


def part10(dicom: DicomObject) -> bytes:
    """Return preamble and meta information for a data set that was received without them (PS3.10 section 7.1)."""
    buffer = io.BytesIO()
    dcmwrite(buffer, _only_meta(dicom, UID(dicom.layout.transfer_syntax)), enforce_file_format=True)
    return buffer.getvalue()


def _complete(dicom: DicomObject) -> Dataset:
    """Return a copy of the header with the large values that are not parsed with it, in little-endian order."""
    dataset = Dataset(dicom.header)
    for bulk in dicom.layout.bulk:
        dicom.stream.seek(bulk.extent[0])
        dataset.add_new(Tag(bulk.tag), bulk.vr, dicom.stream.read(bulk.extent[1] - bulk.extent[0]))
    for element in dataset.iterall():
        if not dicom.layout.little and element.VR in _UNITS_SWAPPED and isinstance(element.value, bytes):
            element.value = little_endian(element.value, element.VR, stored_little=False)
    return dataset


def _file_start(dataset: Dataset, dicom: DicomObject, target: UID) -> bytes:
    buffer = io.BytesIO()
    dcmwrite(buffer, _only_meta(dicom, target), enforce_file_format=True)
    return buffer.getvalue() + _encoded(dataset)


def _only_meta(dicom: DicomObject, syntax: UID) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset(dicom.header.file_meta)
    dataset.file_meta.TransferSyntaxUID = syntax
    for keyword, own in (("MediaStorageSOPClassUID", "SOPClassUID"), ("MediaStorageSOPInstanceUID", "SOPInstanceUID")):
        if not dataset.file_meta.get(keyword):
            setattr(dataset.file_meta, keyword, dicom.header.get(own))
    dataset.preamble = b"\0" * 128  # type: ignore[attr-defined]
    return dataset


def _encoded(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, implicit_vr=False, little_endian=True, enforce_file_format=False, force_encoding=True)
    return buffer.getvalue()


def _frame(dicom: DicomObject, number: int, target: UID) -> Transcoded:
    source = UID(dicom.layout.transfer_syntax)
    frame = dicom.layout.frame(dicom.stream, number)
    if source == DEFLATED and target == ExplicitVRLittleEndian:
        return Transcoded(frame, Dataset())
    return transcode(dicom.header, frame, source=source, target=target, pixel_tag=dicom.pixel_tag)


def _pixels(dicom: DicomObject, first: Transcoded, target: UID) -> Iterator[bytes]:
    tag = struct.pack("<HH", dicom.layout.pixel_tag >> 16, dicom.layout.pixel_tag & 0xFFFF)
    frames = (first if number == 1 else _frame(dicom, number, target) for number in range(1, dicom.frames + 1))
    if target.is_compressed:
        yield tag + b"OB\0\0" + b"\xff" * 4 + _ITEM.pack(0xFFFE, 0xE000, 0)
        for frame in frames:
            content = frame.frame + b"\0" * (len(frame.frame) % 2)
            yield _ITEM.pack(0xFFFE, 0xE000, len(content)) + content
        yield _ITEM.pack(0xFFFE, 0xE0DD, 0)
        return
    yield from _native_pixels(dicom, first, frames, tag)


def _native_pixels(dicom: DicomObject, first: Transcoded, frames: Iterator[Transcoded], tag: bytes) -> Iterator[bytes]:
    bits = int(first.changes.get("BitsAllocated") or dicom.header.BitsAllocated)
    vr = _NATIVE_VRS.get(dicom.layout.pixel_tag) or ("OB" if bits <= 8 else "OW")
    if bits == 1 and dicom.frames > 1:
        content = b"".join(_packed_bits(dicom, frames))
        total, pieces = len(content), iter([content])
    else:
        total, pieces = len(first.frame) * dicom.frames, (frame.frame for frame in frames)
    yield tag + vr.encode() + b"\0\0" + struct.pack("<I", total + total % 2)
    yield from pieces
    yield b"\0" * (total % 2)


def _packed_bits(dicom: DicomObject, frames: Iterator[Transcoded]) -> Iterator[bytes]:
    """Frames of single bits lie back to back (PS3.5 section 8.1.1), so that they need not begin on a byte."""
    import numpy as np

    count = int(dicom.header.Rows) * int(dicom.header.Columns)
    unpacked = [np.unpackbits(np.frombuffer(frame.frame, np.uint8), bitorder="little")[:count] for frame in frames]
    yield np.packbits(np.concatenate(unpacked), bitorder="little").tobytes()

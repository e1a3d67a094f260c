"""Parser for untrusted DICOM files.

Only the header is parsed, through a reader with a byte budget; pixel data are located and later read frame
by frame. The file is never loaded into memory as a whole.
"""

from __future__ import annotations

import io
import struct
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pydicom import Dataset
from pydicom.encaps import generate_frames, parse_basic_offsets, parse_fragments
from pydicom.filereader import read_dataset, read_partial
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from apps.imaging.dicom.native import NativeLayout

PIXEL_TAGS = frozenset({Tag(0x7FE00008), Tag(0x7FE00009), Tag(0x7FE00010)})
"""Float, Double Float and (integer) Pixel Data, PS3.3 section C.7.6.3 and C.7.6.24."""
UNDEFINED_LENGTH = 0xFFFFFFFF
_LONG_VRS = (b"OB", b"OW", b"OF", b"OD", b"OV", b"UN")


class Unreadable(Exception):
    """A file that cannot be accepted: a reason code and its parameters, without patient data."""

    def __init__(self, code: str, **parameters: str | int) -> None:
        super().__init__(code)
        self.code, self.parameters = code, parameters


@dataclass(frozen=True)
class Limits:
    """Plausibility limits."""

    header_bytes: int = 32 * 2**20
    frame_bytes: int = 512 * 2**20
    frames: int = 100_000
    inflated_bytes: int = 2 * 2**30


@dataclass(frozen=True)
class DicomObject:
    """An opened DICOM file.

    Attributes:
        header: the data set up to the pixel data, with file meta information.
        header_bytes: the same as stored in the file (preamble, meta information, data set).
        pixel_tag: which of PIXEL_TAGS holds the pixels.
        frames: number of frames, at least 1.
    """

    header: Dataset
    header_bytes: bytes
    transfer_syntax: UID
    pixel_tag: BaseTag
    frames: int
    _layout: NativeLayout
    _stream: BinaryIO
    _value_offset: int

    def iter_frames(self) -> Iterator[bytes]:
        """Yield each frame's bytes as stored: native little- or big-endian, or one compressed image.

        Number and length of frames are fixed when the file is opened: later changes to ``header`` have no
        effect.

        Raises:
            Unreadable: ``truncated`` if the file ends before the last frame.
        """
        count = 0
        try:
            for frame in self._compressed() if self.transfer_syntax.is_compressed else self._native():
                count += 1
                yield frame
        except Unreadable:
            raise
        except Exception as error:  # pydicom raises arbitrary exceptions on damaged input
            raise Unreadable("truncated") from error
        if count != self.frames:
            raise Unreadable("truncated")

    def _compressed(self) -> Iterator[bytes]:
        self._stream.seek(self._value_offset)
        frames = generate_frames(
            self._stream, number_of_frames=self.frames, extended_offsets=_extended_offsets(self.header)
        )
        for number, frame in enumerate(frames):
            if number < self.frames:
                yield frame

    def _native(self) -> Iterator[bytes]:
        for index in range(self.frames):
            yield self._layout.read(self._stream, self._value_offset, index)


def open_object(stream: BinaryIO, limits: Limits = Limits()) -> DicomObject:
    """Open an untrusted DICOM file.

    Args:
        stream: a seekable binary file, which must stay open while frames are read.

    Raises:
        Unreadable: ``not_dicom``, ``truncated``, ``header_too_large``, ``damaged``, ``no_pixels``,
            ``bad_dimensions``, ``frame_too_large``, ``unsupported_transfer_syntax``.
    """
    try:
        return _open(stream, limits)
    except Unreadable:
        raise
    except Exception as error:  # pydicom raises arbitrary exceptions on damaged input
        raise Unreadable("damaged") from error


def _open(stream: BinaryIO, limits: Limits) -> DicomObject:
    if not looks_like_dicom(stream):
        raise Unreadable("not_dicom")
    stream = _inflated(stream, limits)
    stream.seek(0)
    reader = _Budget(stream, limits.header_bytes)
    header = _parse(reader)
    syntax = _transfer_syntax(header)
    header_end = stream.tell()
    tag, vr, value_offset = _pixel_element(stream, header, reader.truncated)
    layout = _checked_layout(header, limits, word_swapped=not syntax.is_little_endian and vr == b"OW")
    if syntax.is_compressed:
        _check_fragments(stream, value_offset, layout.frames, limits)
    else:
        _check_native(stream, layout, value_offset)
    stream.seek(0)
    return DicomObject(header, stream.read(header_end), syntax, tag, layout.frames, layout, stream, value_offset)


def parse_header(content: bytes) -> Dataset:
    """Parse :attr:`DicomObject.header_bytes` to a data set."""
    return _parse(_Budget(io.BytesIO(content), 2 * len(content) + 1024))


def looks_like_dicom(stream: BinaryIO) -> bool:
    """Return whether the content is DICOM: with the prefix of PS3.10 section 7.1, or a bare data set.

    Old equipment writes no prefix; such files start with an element of group 2 or 8.
    """
    stream.seek(0)
    start = stream.read(132)
    if start[128:] == b"DICM":
        return True
    if len(start) < 16:
        return False
    group, element = struct.unpack("<HH", start[:4])
    explicit = start[4:6] in (b"UL", b"UI", b"CS", b"DA", b"OB", b"SH", b"TM")
    implicit = struct.unpack("<I", start[4:8])[0] <= 64
    return (group == 2 and element <= 2 and explicit) or (group == 8 and element <= 0x80 and (explicit or implicit))


class _Budget:
    """A reader that limits the number of bytes read and records short reads."""

    def __init__(self, stream: BinaryIO, budget: int) -> None:
        self.stream, self.budget = stream, budget
        self.truncated = False
        self.name = ""

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self.budget:
            raise Unreadable("header_too_large")
        self.budget -= size
        data = self.stream.read(size)
        if len(data) < size and (data or size != 8):
            self.truncated = True
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.stream.seek(offset, whence)

    def tell(self) -> int:
        return self.stream.tell()


def _parse(reader: _Budget) -> Dataset:
    try:
        return read_partial(reader, stop_when=lambda tag, vr, length: tag in PIXEL_TAGS, force=True)  # type: ignore[arg-type]
    except Unreadable:
        raise
    except RecursionError:
        raise Unreadable("header_too_large") from None
    except Exception as error:  # pydicom raises arbitrary exceptions on damaged input
        raise Unreadable("truncated" if reader.truncated else "damaged") from error


def _transfer_syntax(header: Dataset) -> UID:
    meta = getattr(header, "file_meta", None)
    syntax = UID(str(getattr(meta, "TransferSyntaxUID", "") or ""))
    if not syntax:
        implicit, little = header.original_encoding
        native = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        syntax = native if little or little is None else ExplicitVRBigEndian
    if not syntax.is_transfer_syntax or (syntax.is_compressed and not _decodable(syntax)):
        raise Unreadable("unsupported_transfer_syntax", syntax=syntax.name[:80])
    return syntax


def _decodable(syntax: UID) -> bool:
    from pydicom.pixels import get_decoder

    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def _inflated(stream: BinaryIO, limits: Limits) -> BinaryIO:
    """Inflate a deflated data set (PS3.5 section A.5), up to the limit; other streams are returned unchanged."""
    stream.seek(0)
    if stream.read(132)[128:] != b"DICM":
        return stream
    reader = _Budget(stream, limits.header_bytes)
    try:
        meta = read_dataset(reader, False, True, stop_when=lambda tag, vr, length: tag.group != 2)  # type: ignore[arg-type]
        deflated = meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable("damaged") from error
    if not deflated:
        return stream
    plain: BinaryIO = tempfile.TemporaryFile()
    plain.write(_explicit_meta(meta))
    inflater, inflated = zlib.decompressobj(-zlib.MAX_WBITS), 0
    try:
        while block := inflater.unconsumed_tail or stream.read(2**20):
            chunk = inflater.decompress(block, 2**20)
            inflated += len(chunk)
            if inflated > limits.inflated_bytes:
                raise Unreadable("frame_too_large", mebibytes=limits.inflated_bytes // 2**20)
            plain.write(chunk)
            if inflater.eof:
                break
    except zlib.error as error:
        raise Unreadable("damaged") from error
    return plain


def _explicit_meta(meta: Dataset) -> bytes:
    """Write preamble and meta information that declare an explicit little-endian data set."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.filewriter import write_file_meta_info

    plain_meta = FileMetaDataset(meta)
    plain_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    buffer.write(b"\0" * 128 + b"DICM")
    write_file_meta_info(buffer, plain_meta, enforce_standard=False)
    return buffer.getvalue()


def _pixel_element(stream: BinaryIO, header: Dataset, truncated: bool) -> tuple[BaseTag, bytes, int]:
    """Return the pixel element's tag, its VR (empty if implicit) and the offset of its value.

    The stream must be positioned at the element.
    """
    implicit, little = header.original_encoding
    start = stream.tell()
    head = stream.read(12)
    order = "<" if little or little is None else ">"
    tag = Tag(struct.unpack(order + "HH", head[:4])) if len(head) >= 8 else None
    if tag not in PIXEL_TAGS:
        raise Unreadable("truncated" if truncated else "no_pixels")
    long_form = not implicit and head[4:6] in _LONG_VRS
    stream.seek(0, io.SEEK_END)
    if stream.tell() < start + (12 if long_form else 8):
        raise Unreadable("truncated")
    return tag, b"" if implicit else head[4:6], start + (12 if long_form else 8)


def _checked_layout(header: Dataset, limits: Limits, *, word_swapped: bool) -> NativeLayout:
    """Return the frame layout declared by the header, after checking its plausibility."""
    try:
        rows, columns = int(header.Rows), int(header.Columns)
        samples, frames = int(header.get("SamplesPerPixel") or 1), _frame_count(header)
        header.SamplesPerPixel = samples
        bits = int(header.BitsAllocated)
        photometric = str(header.setdefault("PhotometricInterpretation", "MONOCHROME2").value)
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        raise Unreadable("bad_dimensions") from error
    if rows < 1 or columns < 1 or samples not in (1, 3, 4) or bits not in (1, 8, 16, 32, 64) or frames < 1:
        raise Unreadable("bad_dimensions")
    layout = NativeLayout.of(
        rows=rows,
        columns=columns,
        samples=samples,
        bits=bits,
        photometric=photometric,
        frames=frames,
        word_swapped=word_swapped,
    )
    too_large = layout.frame_bytes > limits.frame_bytes or rows * columns * samples > limits.frame_bytes
    if frames > limits.frames or too_large:
        raise Unreadable("frame_too_large", mebibytes=limits.frame_bytes // 2**20)
    return layout


def _frame_count(header: Dataset) -> int:
    value = header.get("NumberOfFrames")
    return int(value) if value not in (None, "", 0) else 1


def _check_native(stream: BinaryIO, layout: NativeLayout, value_offset: int) -> None:
    stream.seek(0, io.SEEK_END)
    if stream.tell() - value_offset < layout.total_bytes:
        raise Unreadable("truncated")


def _extended_offsets(header: Dataset) -> tuple[bytes, bytes] | None:
    """Return the Extended Offset Table and its lengths (PS3.3 section C.7.6.3.1.8), if both are present."""
    offsets, lengths = header.get("ExtendedOffsetTable"), header.get("ExtendedOffsetTableLengths")
    return (offsets, lengths) if offsets and lengths else None


def _check_fragments(stream: BinaryIO, value_offset: int, frames: int, limits: Limits) -> None:
    """Check that every fragment lies within the file and none exceeds the maximum frame size."""
    stream.seek(0, io.SEEK_END)
    end = stream.tell()
    stream.seek(value_offset)
    try:
        parse_basic_offsets(stream)
        count, offsets = parse_fragments(stream)
        for offset in offsets:
            stream.seek(offset + 4)
            (length,) = struct.unpack("<I", stream.read(4))
            if offset + 8 + length > end:
                raise Unreadable("truncated")
            if length > limits.frame_bytes:
                raise Unreadable("frame_too_large", mebibytes=limits.frame_bytes // 2**20)
    except (ValueError, EOFError, struct.error) as error:
        raise Unreadable("truncated") from error
    if count < frames:
        raise Unreadable("truncated")

"""Parser for untrusted DICOM files of any SOP class.

The file is never loaded into memory as a whole: elements are located first (:mod:`~apps.imaging.dicom.elements`), then
only the header is parsed. Large values and frames are read where they lie.
"""

from __future__ import annotations

import re
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from pydicom import Dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID

from apps.imaging.dicom.elements import PIXEL_TAGS, Element, Encoding, Ended, Malformed, Scanner, TooMany, Window
from apps.imaging.dicom.header import read_header
from apps.imaging.dicom.layout import Bulk, Extent, Layout
from apps.imaging.dicom.pixel_layout import LIMITS, Limits, Problem, with_frames

DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT, EXPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
PREFIX = 132
"""Preamble and "DICM", PS3.10 section 7.1."""
LARGE_VALUE = 2**20
"""Longer values at the top level are not parsed with the header."""
MAX_DEPTH = 64
"""Deeper sequences are stored, but not parsed: pydicom reads them by recursion."""
_NATIVE_SYNTAXES = frozenset({IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED})
_UID = re.compile(r"[0-9.]{1,64}")


class Unreadable(Exception):
    """A file that cannot be accepted: a reason code and its parameters, without patient data."""

    def __init__(self, code: str, **parameters: str | int) -> None:
        super().__init__(code)
        self.code, self.parameters = code, parameters


@dataclass(frozen=True)
class DicomObject:
    """An opened DICOM file.

    Attributes:
        header: the data set without pixel data and other large values, with file meta information.
        layout: where the parts lie in ``stream``.
        stream: the file; for a deflated one, its inflated form.
    """

    header: Dataset
    layout: Layout
    stream: BinaryIO

    @property
    def transfer_syntax(self) -> UID:
        """Transfer syntax of the file."""
        return UID(self.layout.transfer_syntax)

    @property
    def pixel_tag(self) -> BaseTag:
        """Which element holds the pixels."""
        return Tag(self.layout.pixel_tag)

    @property
    def frames(self) -> int:
        """Number of frames that can be read; 0 for an object without pixels."""
        return self.layout.frames

    def require_frames(self) -> None:
        """Check that every declared frame can be read.

        Raises:
            Unreadable: ``no_pixels``, or why the pixels cannot be read.
        """
        if self.layout.problem:
            raise Unreadable(self.layout.problem, **problem_parameters(self.layout))
        if not self.frames:
            raise Unreadable("no_pixels")

    def iter_frames(self) -> Iterator[bytes]:
        """Yield each frame's bytes as stored: native little- or big-endian, or one compressed image.

        Number and length of frames are fixed when the file is opened: later changes to ``header`` have no effect.

        Raises:
            Unreadable: ``truncated`` if the file ends before the last frame.
        """
        for number in range(1, self.frames + 1):
            try:
                yield self.layout.frame(self.stream, number)
            except EOFError as error:
                raise Unreadable("truncated") from error


def problem_parameters(layout: Layout, limits: Limits = LIMITS) -> dict[str, str | int]:
    """Return the parameters of the message on ``layout.problem``."""
    if layout.problem == "unsupported_transfer_syntax":
        return {"syntax": UID(layout.transfer_syntax).name[:80]}
    return {"mebibytes": limits.frame_bytes // 2**20} if layout.problem == "frame_too_large" else {}


def open_object(stream: BinaryIO, limits: Limits = LIMITS) -> DicomObject:
    """Open an untrusted DICOM file, drawable or not.

    Args:
        stream: a seekable binary file, which must stay open while frames are read.

    Raises:
        Unreadable: ``not_dicom``, ``media_directory``, ``truncated``, ``header_too_large``, ``damaged``. What keeps the
            pixels alone from being read is a :attr:`Layout.problem <apps.imaging.dicom.layout.Layout.problem>`.
    """
    try:
        return _open(stream, limits)
    except Unreadable:
        raise
    except (Ended, EOFError) as error:
        raise Unreadable("truncated") from error
    except (TooMany, RecursionError) as error:
        raise Unreadable("header_too_large") from error
    except Exception as error:  # pydicom raises arbitrary exceptions on damaged input
        raise Unreadable("damaged") from error


def open_stored(stream: BinaryIO, layout: Layout) -> DicomObject:
    """Open a file whose layout is known."""
    stream = inflated(stream, layout, LIMITS)
    return DicomObject(parse_header(head_bytes(stream, layout), layout), layout, stream)


def looks_like_dicom(stream: BinaryIO) -> bool:
    """Return whether the content is DICOM: with the prefix of PS3.10 section 7.1, or a bare data set.

    Old equipment writes no prefix; such files start with an element of group 2 or 8.
    """
    stream.seek(0)
    start = stream.read(PREFIX)
    if start[128:] == b"DICM":
        return True
    if len(start) < 16:
        return False
    for little in (True, False):
        order = "little" if little else "big"
        group, element = (int.from_bytes(start[at : at + 2], order) for at in (0, 2))  # type: ignore[arg-type]
        explicit = start[4:6] in (b"UL", b"UI", b"CS", b"DA", b"OB", b"SH", b"TM", b"UN")
        implicit = int.from_bytes(start[4:8], order) <= 64  # type: ignore[arg-type]
        if (group == 2 and element <= 2 and explicit) or (group == 8 and element <= 0x80 and (explicit or implicit)):
            return True
    return False


def _open(stream: BinaryIO, limits: Limits) -> DicomObject:
    if not looks_like_dicom(stream):
        raise Unreadable("not_dicom")
    layout = _start(stream, limits)
    stream = inflated(stream, layout, limits)
    window = Window(stream)
    layout = _guess_encoding(window, layout)
    elements = Scanner(window, headers=limits.header_elements).elements(layout.dataset, _encoding(layout))
    if not elements:
        raise Unreadable("truncated")
    layout = _with_head(layout, elements, limits)
    header = parse_header(head_bytes(stream, layout), layout)
    pixels = next((element for element in elements if element.tag in PIXEL_TAGS), None)
    if pixels is not None:
        layout = _with_pixels(layout, header, window, pixels, limits)
    elif header.get("Rows") and header.get("BitsAllocated"):
        layout = replace(layout, problem="pixels_missing")
    if layout.problem == "truncated":
        raise Unreadable("truncated")
    return DicomObject(header, layout, stream)


def _start(stream: BinaryIO, limits: Limits) -> Layout:
    """Read prefix and meta information (PS3.10 section 7.1); the encoding of the data set is not known yet."""
    window = Window(stream)
    stream.seek(0)
    part10 = stream.read(PREFIX)[128:] == b"DICM"
    start = PREFIX if part10 else 0
    meta = Scanner(window, headers=limits.header_elements).elements(start, Encoding(False, True), group=2)
    values = {element.tag: window.at(element.value, element.end - element.value) for element in meta[:64]}
    syntax = values.get(0x00020010, b"").rstrip(b"\0 ").decode("ascii", "replace")
    if values.get(0x00020002, b"").rstrip(b"\0 ") == b"1.2.840.10008.1.3.10":
        raise Unreadable("media_directory")
    if syntax and not _UID.fullmatch(syntax):
        raise Unreadable("damaged")
    end = meta[-1].end if meta else start
    return Layout(syntax, part10, syntax == IMPLICIT, syntax != BIG_ENDIAN, end, ((0, end),))


def _guess_encoding(window: Window, layout: Layout) -> Layout:
    """Complete the encoding by the first element: some files declare no transfer syntax, or a wrong one."""
    try:
        start = window.at(layout.dataset, 8)
    except Ended:
        return layout
    little = layout.little
    if not layout.transfer_syntax:
        little = int.from_bytes(start[:2], "little") < 0x0100 or int.from_bytes(start[:2], "big") > 0x0100
    implicit = not (start[4:6].isalpha() and start[4:6].isupper())
    syntax = layout.transfer_syntax or (IMPLICIT if implicit else EXPLICIT if little else BIG_ENDIAN)
    return replace(layout, transfer_syntax=syntax, implicit=implicit, little=little)


def _encoding(layout: Layout) -> Encoding:
    return Encoding(layout.implicit, layout.little)


def _with_head(layout: Layout, elements: Sequence[Element], limits: Limits) -> Layout:
    """Divide the elements into the header and large values."""
    head: list[Extent] = [(0, layout.dataset)]
    bulk: list[Bulk] = []
    for element in elements:
        length = element.end - element.value
        if element.tag in PIXEL_TAGS or element.depth > MAX_DEPTH:
            continue
        if length > LARGE_VALUE and element.vr not in (b"SQ", b"") and not element.undefined:
            bulk.append(Bulk(element.tag, element.vr.decode(), (element.value, element.end)))
        elif head[-1][1] == element.start:
            head[-1] = (head[-1][0], element.end)
        else:
            head.append((element.start, element.end))
    if sum(end - start for start, end in head) > limits.header_bytes:
        raise Unreadable("header_too_large")
    return replace(layout, head=tuple(head), bulk=tuple(bulk))


def head_bytes(stream: BinaryIO, layout: Layout) -> bytes:
    """Read the bytes that :func:`parse_header` parses."""
    pieces = []
    for start, end in layout.head:
        stream.seek(start)
        pieces.append(stream.read(end - start))
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def parse_header(content: bytes, layout: Layout) -> Dataset:
    """Parse the header's bytes to a data set."""
    prefix = PREFIX if layout.part10 else 0
    return read_header(content, layout.dataset, prefix=prefix, implicit=layout.implicit, little=layout.little)


def _with_pixels(layout: Layout, header: Dataset, window: Window, pixels: Element, limits: Limits) -> Layout:
    layout = replace(
        layout, pixel_tag=pixels.tag, pixel_vr=pixels.vr.decode("ascii", "replace"), pixel=(pixels.value, pixels.end)
    )
    syntax = layout.transfer_syntax
    if (syntax not in _NATIVE_SYNTAXES) != pixels.undefined:  # the file contradicts itself, or is in a private syntax
        known = UID(syntax).is_transfer_syntax and not UID(syntax).is_private
        return replace(layout, problem="damaged_pixels" if known else "unsupported_transfer_syntax")
    try:
        return with_frames(layout, header, window, encapsulated=pixels.undefined, limits=limits)
    except Problem as problem:
        return replace(layout, problem=problem.code)
    except Ended:
        return replace(layout, problem="truncated")
    except Malformed:
        return replace(layout, problem="damaged_pixels")


def inflated(stream: BinaryIO, layout: Layout, limits: Limits) -> BinaryIO:
    """Inflate a deflated data set (PS3.5 section A.5), up to the limit; other streams are returned unchanged."""
    if layout.transfer_syntax != DEFLATED:
        return stream
    stream.seek(0)
    plain: BinaryIO = tempfile.TemporaryFile()
    plain.write(stream.read(layout.dataset))
    inflater, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
    try:
        while block := inflater.unconsumed_tail or stream.read(2**20):
            chunk = inflater.decompress(block, 2**20)
            total += len(chunk)
            if total > limits.inflated_bytes:
                raise Unreadable("frame_too_large", mebibytes=limits.inflated_bytes // 2**20)
            plain.write(chunk)
            if inflater.eof:
                break
    except zlib.error as error:
        raise Unreadable("damaged") from error
    return plain

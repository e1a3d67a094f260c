"""Locating the frames of native and encapsulated pixel data (PS3.5 sections 8 and A.4)."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, replace

from pydicom import Dataset
from pydicom.uid import UID

from apps.imaging.dicom.elements import ITEM, SEQUENCE_END, UNDEFINED_LENGTH, Malformed, Window
from apps.imaging.dicom.layout import Fragments, Layout
from apps.imaging.dicom.native import NativeLayout

_VIDEO = tuple(f"1.2.840.10008.1.2.4.{number}" for number in range(100, 109))
"""MPEG-2, MPEG-4 AVC and HEVC, PS3.5 sections 8.2.5 to 8.2.8, and their fragmentable variants (suffix .1)."""
_IMAGE_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ")
"""First bytes of a JPEG or JPEG-LS image, a JPEG 2000 code stream and a JP2 file."""


class Problem(Exception):
    """The pixels cannot be read frame by frame: a reason code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Limits:
    """Plausibility limits."""

    header_bytes: int = 64 * 2**20
    header_elements: int = 5_000_000
    frame_bytes: int = 512 * 2**20
    frames: int = 100_000
    inflated_bytes: int = 2 * 2**30


LIMITS = Limits()


def with_frames(layout: Layout, header: Dataset, window: Window, *, encapsulated: bool, limits: Limits) -> Layout:
    """Complete a layout by where its frames lie.

    Raises:
        Problem: ``bad_dimensions``, ``frame_too_large``, ``video``, ``unsupported_transfer_syntax``,
            ``frames_unclear``, ``truncated``.
        Ended: if the file ends within a fragment.
        Malformed: if something else stands where a fragment should.
    """
    native = _native_layout(layout, header, limits)
    if encapsulated:
        _check_syntax(layout.transfer_syntax)
        fragments = _fragments(window, layout, header, native.frames)
        if max(fragments.lengths, default=0) > limits.frame_bytes:
            raise Problem("frame_too_large")
        return replace(layout, fragments=fragments, frames=fragments.frames)
    if layout.pixel[1] - layout.pixel[0] < native.total_bytes:
        raise Problem("truncated")
    return replace(layout, native=native, frames=native.frames)


def _native_layout(layout: Layout, header: Dataset, limits: Limits) -> NativeLayout:
    """Return the frame layout declared by the header, after checking its plausibility."""
    try:
        rows, columns = int(header.Rows), int(header.Columns)
        samples, frames = int(header.get("SamplesPerPixel") or 1), _frame_count(header)
        bits = int(header.BitsAllocated)
        photometric = str(header.get("PhotometricInterpretation") or "MONOCHROME2")
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        raise Problem("bad_dimensions") from error
    if rows < 1 or columns < 1 or samples not in (1, 3, 4) or bits not in (1, 8, 16, 32, 64) or frames < 1:
        raise Problem("bad_dimensions")
    native = NativeLayout.of(
        rows=rows,
        columns=columns,
        samples=samples,
        bits=bits,
        photometric=photometric,
        frames=frames,
        word_swapped=not layout.little and layout.pixel_vr == "OW",
    )
    too_large = native.frame_bytes > limits.frame_bytes or rows * columns * samples > limits.frame_bytes
    if frames > limits.frames or too_large:
        raise Problem("frame_too_large")
    return native


def _frame_count(header: Dataset) -> int:
    value = header.get("NumberOfFrames")
    return int(value) if value not in (None, "", 0) else 1


def _check_syntax(syntax: str) -> None:
    if syntax.startswith(_VIDEO):
        raise Problem("video")
    if not is_decodable(UID(syntax)):
        raise Problem("unsupported_transfer_syntax")


def is_decodable(syntax: UID) -> bool:
    """Return whether frames in a transfer syntax can be decoded with what is installed."""
    from pydicom.pixels import get_decoder

    if not syntax.is_transfer_syntax or not syntax.is_compressed:
        return syntax.is_transfer_syntax
    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def _fragments(window: Window, layout: Layout, header: Dataset, frames: int) -> Fragments:
    """Locate the fragments and divide them among the frames."""
    starts, lengths = array("Q"), array("Q")
    offsets, position = _offset_table(window, layout.pixel[0])
    first = position
    while True:
        tag, length = _item(window, position)
        if tag == SEQUENCE_END:
            break
        if tag != ITEM or length == UNDEFINED_LENGTH:
            raise Malformed
        starts.append(position + 8)
        lengths.append(length)
        position += 8 + length
    if not starts:
        raise Problem("truncated")
    offsets = _extended_offsets(header) or offsets
    firsts = _firsts(window, starts, frames, [first + 8 + offset for offset in offsets])
    if len(firsts) > frames:  # more frames than declared: those declared are served, the file keeps all
        end = firsts[frames]
        return Fragments(starts[:end], lengths[:end], firsts[:frames])
    return Fragments(starts, lengths, firsts)


def _item(window: Window, position: int) -> tuple[int, int]:
    head = window.at(position, 8)
    group, element = (int.from_bytes(head[at : at + 2], "little") for at in (0, 2))
    return group << 16 | element, int.from_bytes(head[4:], "little")


def _offset_table(window: Window, position: int) -> tuple[list[int], int]:
    """Return the Basic Offset Table (PS3.5 section A.4) and the offset of the first fragment's item."""
    tag, length = _item(window, position)
    if tag != ITEM or length % 4 or length > 2**26:
        raise Malformed
    table = array("I")
    table.frombytes(window.at(position + 8, length))
    return list(table), position + 8 + length


def _extended_offsets(header: Dataset) -> list[int]:
    """Return the Extended Offset Table (PS3.3 section C.7.6.3.1.8); empty if there is none."""
    value = header.get("ExtendedOffsetTable")
    if not isinstance(value, bytes) or len(value) % 8:
        return []
    table = array("Q")
    table.frombytes(value)
    return list(table)


def _firsts(window: Window, starts: array[int], frames: int, offsets: list[int]) -> array[int]:
    """Return the number of each frame's first fragment; empty where each fragment is a frame.

    Args:
        offsets: of the first fragment of each frame; empty where no table says so.

    Raises:
        Problem: ``truncated``, or ``frames_unclear`` if the fragments cannot be divided among the frames.
    """
    if frames == 1:
        return array("Q", [0])
    if len(starts) < frames:
        raise Problem("truncated")
    if len(starts) == frames:
        return array("Q")
    if len(offsets) >= frames:
        firsts = array("Q", [bisect_left(starts, offset) for offset in offsets])
        if all(
            number < len(starts) and starts[number] == offset for number, offset in zip(firsts, offsets, strict=True)
        ):
            return firsts
    # No usable table: a frame begins where an image does.
    images = array("Q", [number for number, start in enumerate(starts) if _begins_image(window, start)])
    if len(images) < frames:
        raise Problem("frames_unclear")
    return images


def _begins_image(window: Window, start: int) -> bool:
    return start + 12 <= window.size and window.at(start, 12).startswith(_IMAGE_STARTS)

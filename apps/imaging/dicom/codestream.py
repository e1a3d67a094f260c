"""Image dimensions declared in a compressed code stream, checked before decoding."""

from __future__ import annotations

import struct

_JPEG_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  "


def declared_size(frame: bytes) -> tuple[int, int] | None:
    """Return rows and columns declared by a JPEG, JPEG-LS or JPEG 2000 code stream; None for other formats.

    JPEG: ITU-T T.81 section B.2.2 (SOF); JPEG-LS: T.87 section C.2.2; JPEG 2000: T.800 section
    A.5.1 (SIZ), also inside a JP2 file.
    """
    if frame.startswith(b"\xff\xd8"):
        return _jpeg_size(frame)
    if frame.startswith(_JP2_SIGNATURE):
        start = frame.find(b"\xff\x4f\xff\x51")
        return _j2k_size(frame[start:]) if start >= 0 else None
    if frame.startswith(b"\xff\x4f\xff\x51"):
        return _j2k_size(frame)
    return None


def _jpeg_size(frame: bytes) -> tuple[int, int] | None:
    position = 2
    while position + 9 <= len(frame):
        if frame[position] != 0xFF:
            return None
        marker = frame[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        (length,) = struct.unpack_from(">H", frame, position + 2)
        if marker in _JPEG_FRAME_MARKERS:
            rows, columns = struct.unpack_from(">HH", frame, position + 5)
            return rows, columns
        position += 2 + length
    return None


def _j2k_size(frame: bytes) -> tuple[int, int] | None:
    if len(frame) < 24:
        return None
    width, height, left, top = struct.unpack_from(">IIII", frame, 8)
    return height - top, width - left

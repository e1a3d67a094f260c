"""Locating the top-level elements of a DICOM data set without reading their values (PS3.5 section 7).

Values are skipped, however long or deeply nested they are, so the cost depends on the number of elements alone.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

UNDEFINED_LENGTH = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
"""Float, Double Float and (integer) Pixel Data, PS3.3 sections C.7.6.3 and C.7.6.24."""
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_BLOCK = 64 * 1024


class Ended(Exception):
    """The file ends within an element."""


class Malformed(Exception):
    """The bytes are not a data set."""


class TooMany(Exception):
    """The element headers alone exceed the limit."""


class Element(NamedTuple):
    """Where a top-level element lies.

    Attributes:
        vr: as stored; empty if implicit.
        start, value, end: offsets of its header, of its value, and of what follows.
        undefined: whether its length is undefined.
        depth: nesting of its sequences of undefined length; 0 for other elements.
    """

    tag: int
    vr: bytes
    start: int
    value: int
    end: int
    undefined: bool = False
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a data set is encoded."""

    implicit: bool
    little: bool


class Window:
    """Random access to a stream by offset, through a buffer."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.size = stream.seek(0, 2)
        self._base, self._data = 0, b""

    def block(self, offset: int) -> tuple[bytes, int]:
        """Return the buffer that begins at or before ``offset``, and where it begins."""
        if not self._base <= offset or offset + 12 > self._base + len(self._data):
            self._stream.seek(offset)
            self._base, self._data = offset, self._stream.read(_BLOCK)
        return self._data, self._base

    def at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes at ``offset``.

        Raises:
            Ended: if the file is shorter.
        """
        start = offset - self._base
        if start < 0 or start + length > len(self._data):
            self._stream.seek(offset)
            self._base, self._data, start = offset, self._stream.read(max(length, _BLOCK)), 0
        piece = self._data[start : start + length]
        if len(piece) < length:
            raise Ended
        return piece


class Scanner:
    """Walks over a data set."""

    def __init__(self, window: Window, *, headers: int) -> None:
        """Args: headers: how many element and item headers are looked at, at most."""
        self._window, self._left = window, headers

    def elements(self, start: int, encoding: Encoding, *, group: int | None = None) -> list[Element]:
        """Locate the elements from ``start`` to the end of the file, or while they belong to ``group``.

        Raises:
            Ended: with the elements before it as its argument, if the file ends within one.
            Malformed: if an item or delimiter stands where an element should.
        """
        found: list[Element] = []
        position = start
        try:
            # Fewer than eight bytes are no element but padding.
            while position + 8 <= self._window.size and (group is None or self._group(position, encoding) == group):
                position = self._plain_elements(position, encoding, group, found)
                if position + 8 > self._window.size or (group is not None and self._group(position, encoding) != group):
                    break
                element = self.element(position, encoding)
                if element.end > self._window.size:
                    raise Ended
                found.append(element)
                position = element.end
        except Ended as error:
            raise Ended(found) from error
        return found

    def _plain_elements(self, position: int, encoding: Encoding, group: int | None, found: list[Element]) -> int:
        """Locate what elements of explicit VR and known length follow in the buffer; return where they end.

        Most elements are of this kind, and looking at each through :meth:`element` would take most of the time.
        """
        if encoding.implicit:
            return position
        block, base = self._window.block(position)
        unpack = struct.Struct("<HH2sH" if encoding.little else ">HH2sH").unpack_from
        long_length = struct.Struct("<L" if encoding.little else ">L").unpack_from
        size, offset, last = self._window.size, position - base, len(block) - 12
        while offset <= last:
            number, element, vr, length = unpack(block, offset)
            value = offset + 8
            if vr in _LONG_VRS:
                (length,), value = long_length(block, value), offset + 12
            elif vr not in _SHORT_VRS:
                break
            if number == 0xFFFE:
                break
            end = value + length
            if length == UNDEFINED_LENGTH or base + end > size or (group is not None and number != group):
                break
            found.append(Element(number << 16 | element, vr, base + offset, base + value, base + end))
            self._left -= 1
            offset = end
        if self._left < 0:
            raise TooMany
        return base + offset

    def _group(self, position: int, encoding: Encoding) -> int:
        return int.from_bytes(self._window.at(position, 2), "little" if encoding.little else "big")

    def element(self, position: int, encoding: Encoding) -> Element:
        """Locate the element at ``position``; see :meth:`elements`."""
        tag, vr, value, length = self._header(position, encoding)
        if tag >> 16 == 0xFFFE:
            raise Malformed
        if length != UNDEFINED_LENGTH:
            return Element(tag, vr, position, value, value + length)
        end, depth = self._skip(value, encoding, vr)
        return Element(tag, vr, position, value, end, undefined=True, depth=depth)

    def _header(self, position: int, encoding: Encoding) -> tuple[int, bytes, int, int]:
        """Return tag, VR, offset of the value and its length."""
        self._left -= 1
        if self._left < 0:
            raise TooMany
        order = "<" if encoding.little else ">"
        head = self._window.at(position, 8)
        group, number = struct.unpack(order + "HH", head[:4])
        tag, vr = group << 16 | number, head[4:6]
        if encoding.implicit or group == 0xFFFE or not (vr.isalpha() and vr.isupper()):
            return tag, b"", position + 8, struct.unpack(order + "I", head[4:])[0]
        if vr in _SHORT_VRS:
            return tag, vr, position + 8, struct.unpack(order + "H", head[6:])[0]
        return tag, vr, position + 12, struct.unpack(order + "I", self._window.at(position + 8, 4))[0]

    def _skip(self, position: int, encoding: Encoding, vr: bytes) -> tuple[int, int]:
        """Return the offset after a value of undefined length, and how deeply sequences are nested in it.

        A loop, not a recursion: files nest ten thousand levels deep.
        """
        levels: list[tuple[bool, Encoding]] = [(True, _within(vr, encoding))]  # (in a sequence, not an item; encoding)
        deepest = 1
        while levels:
            in_sequence, current = levels[-1]
            tag, vr, value, length = self._header(position, current)
            position = value
            if tag == (SEQUENCE_END if in_sequence else ITEM_END):
                levels.pop()
            elif in_sequence and tag != ITEM:
                raise Malformed
            elif length != UNDEFINED_LENGTH:
                position += length
            else:
                levels.append((not in_sequence, current if in_sequence else _within(vr, current)))
                deepest = max(deepest, (len(levels) + 1) // 2)
            if position > self._window.size:
                raise Ended
        return position, deepest


def _within(vr: bytes, encoding: Encoding) -> Encoding:
    """Return the encoding inside a value: UN of undefined length is implicit little-endian (PS3.5 section 6.2.2)."""
    return Encoding(implicit=True, little=True) if vr == b"UN" else encoding

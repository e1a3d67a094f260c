"""Where the parts of a stored DICOM file lie: header, large values, frames. Kept beside the file, so that no part needs
a second scan."""

from __future__ import annotations

import json
import struct
from array import array
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO

from apps.imaging.dicom.native import NativeLayout

Extent = tuple[int, int]
"""Offsets of the first byte and of the byte after the last."""


@dataclass(frozen=True)
class Bulk:
    """A large value at the top level that is not parsed with the header."""

    tag: int
    vr: str
    extent: Extent


@dataclass(frozen=True)
class Fragments:
    """The fragments of encapsulated pixel data, in the order of the file (PS3.5 section A.4).

    Attributes:
        starts, lengths: of the fragments' values.
        firsts: number of the first fragment of each frame; empty where each frame is one fragment.
    """

    starts: array[int]
    lengths: array[int]
    firsts: array[int]

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.firsts) or len(self.starts)

    def of_frame(self, index: int) -> range:
        """Numbers of the fragments of frame ``index``, from 0."""
        if not self.firsts:
            return range(index, index + 1)
        last = self.firsts[index + 1] if index + 1 < len(self.firsts) else len(self.starts)
        return range(self.firsts[index], last)

    def read(self, stream: BinaryIO, index: int) -> bytes:
        """Read frame ``index``, from 0."""
        pieces = []
        for number in self.of_frame(index):
            stream.seek(self.starts[number])
            pieces.append(stream.read(self.lengths[number]))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


NO_FRAGMENTS = Fragments(array("Q"), array("Q"), array("Q"))


@dataclass(frozen=True)
class Layout:
    """Where the parts of a file lie; offsets of a deflated file count in its inflated form.

    Attributes:
        transfer_syntax: as declared, or guessed where the file declares none.
        part10: whether the file has the prefix and meta information of PS3.10.
        implicit, little: encoding of the data set.
        dataset: offset of the first element after the meta information.
        head: extents that are parsed as the header, in order.
        bulk: large values outside the head.
        pixel_tag: which element holds the pixels; 0 if none does.
        pixel: extent of its value.
        frames: number of frames that can be read one by one.
        problem: reason code why the pixels cannot be read, or not all of them; empty if there is none.
    """

    transfer_syntax: str
    part10: bool
    implicit: bool
    little: bool
    dataset: int
    head: tuple[Extent, ...]
    bulk: tuple[Bulk, ...] = ()
    pixel_tag: int = 0
    pixel_vr: str = ""
    pixel: Extent = (0, 0)
    frames: int = 0
    problem: str = ""
    native: NativeLayout | None = None
    fragments: Fragments = field(default=NO_FRAGMENTS)

    def frame(self, stream: BinaryIO, number: int) -> bytes:
        """Read frame ``number``, from 1, as stored: native samples, or one compressed image.

        Raises:
            IndexError: if there is no such frame.
            EOFError: if the file ends within it.
        """
        if not 1 <= number <= self.frames:
            raise IndexError(number)
        if self.native is not None:
            return self.native.read(stream, self.pixel[0], number - 1)
        return self.fragments.read(stream, number - 1)

    def cuts(self) -> list[int]:
        """Offsets at which a stored file is cut, so that each frame is read without its neighbours."""
        found = [self.head[0][1]] if self.head else []
        found += [offset for bulk in self.bulk for offset in bulk.extent]
        if self.native is not None and self.native.frame_bits % 8 == 0:
            size = self.native.frame_bits // 8
            found += range(self.pixel[0], self.pixel[0] + self.frames * size + 1, size)
        found += self.fragments.starts
        return found

    def to_bytes(self) -> bytes:
        """Encode; see :meth:`from_bytes`."""
        values = asdict(self)
        values["fragments"] = [len(part) for part in self._arrays()]
        head = json.dumps(values, separators=(",", ":")).encode()
        return struct.pack("<I", len(head)) + head + b"".join(part.tobytes() for part in self._arrays())

    @classmethod
    def from_bytes(cls, content: bytes) -> Layout:
        """Decode what :meth:`to_bytes` returned."""
        (length,) = struct.unpack_from("<I", content)
        values: dict[str, Any] = json.loads(content[4 : 4 + length])
        position, arrays = 4 + length, []
        for count in values["fragments"]:
            part = array("Q")
            part.frombytes(content[position : position + count * part.itemsize])
            position += count * part.itemsize
            arrays.append(part)
        native = values["native"]
        return cls(
            **{
                **values,
                "head": tuple((start, end) for start, end in values["head"]),
                "bulk": tuple(Bulk(item["tag"], item["vr"], tuple(item["extent"])) for item in values["bulk"]),
                "pixel": tuple(values["pixel"]),
                "native": NativeLayout(**native) if native else None,
                "fragments": Fragments(*arrays),
            }
        )

    def _arrays(self) -> tuple[array[int], array[int], array[int]]:
        return self.fragments.starts, self.fragments.lengths, self.fragments.firsts

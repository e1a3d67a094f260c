"""Sealed containers: large contents encrypted in pieces, of which any byte range can be read on its own.

A container holds one content, such as a DICOM file, and a short index that its writer may attach. The content is cut
into pieces of at most ``PIECE_BYTES``; each is sealed separately and bound to holder, name and number, so a piece that
is moved, repeated or left out does not decrypt. Layout::

    magic | sealed piece 0 | sealed piece 1 | ... | sealed table | length of the sealed table (8 bytes) | magic

The table holds the pieces' lengths and the index. Nothing but one piece is held in memory at a time.
"""

from __future__ import annotations

import io
import struct
import tempfile
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import BinaryIO, cast

from django.core.files.base import File
from django.core.files.storage import Storage

from apps.protection import keys
from apps.protection.storage import sealed_store

PIECE_BYTES = 2**20
MAGIC = b"MPSC\x01\0\0\0"
_FOOTER = struct.Struct(">Q8s")
_TABLE = struct.Struct("<IQ")  # overhead of a sealed piece, number of pieces
_TAIL_BYTES = 4096
"""Read at once from the end: footer and table of most containers."""


class Damaged(keys.CannotOpen):
    """The container was cut off or overwritten."""


class SealedContainer(io.RawIOBase):
    """A readable, seekable view of a container's decrypted content.

    Attributes:
        size: length of the content in bytes.
        index: what the writer attached.
    """

    def __init__(self, name: str, *, holder: str) -> None:
        """Open the container.

        Raises:
            FileNotFoundError: if there is none of this name.
            CannotOpen: if the key is missing or the container was damaged or moved.
        """
        super().__init__()
        self._name, self._holder = name, holder
        self._file: BinaryIO = sealed_store().open(name)  # type: ignore[assignment]
        try:
            self._overhead, lengths, self.index = _read_table(self._file, name, holder)
        except BaseException:
            self._file.close()
            raise
        self._ends = list(accumulate(lengths))
        self.size = self._ends[-1] if self._ends else 0
        self._position = 0
        self._last: tuple[int, bytes] = (-1, b"")

    def as_file(self) -> BinaryIO:
        """Return itself, typed as a binary file."""
        return cast(BinaryIO, self)

    def sealed_with(self) -> int | None:
        """Return the id of the key that sealed the container."""
        self._file.seek(len(MAGIC))
        return keys.key_id_of(self._file.read(5))

    def pieces(self) -> Iterator[bytes]:
        """Yield the whole content, piece by piece."""
        for number in range(len(self._ends)):
            yield self._piece(number)

    def read_range(self, start: int, length: int) -> bytes:
        """Return the bytes from ``start``; fewer than ``length`` where the content ends."""
        end = min(start + length, self.size)
        if start < 0 or end <= start:
            return b""
        number = bisect_right(self._ends, start)
        first = self._ends[number] - self._length(number)
        piece = self._piece(number)
        if end <= self._ends[number]:
            return piece if end - start == len(piece) else piece[start - first : end - first]
        parts = [piece[start - first :]]
        while self._ends[number] < end:
            number += 1
            first = self._ends[number - 1]
            parts.append(self._piece(number)[: end - first])
        return b"".join(parts)

    def read(self, size: int = -1) -> bytes:
        """Read from the current position."""
        content = self.read_range(self._position, self.size if size is None or size < 0 else size)
        self._position += len(content)
        return content

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer from the current position."""
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position."""
        self._position = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence])
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """Close the underlying file."""
        if not self.closed:
            self._file.close()
        super().close()

    def _length(self, number: int) -> int:
        return self._ends[number] - (self._ends[number - 1] if number else 0)

    def _piece(self, number: int) -> bytes:
        if self._last[0] != number:
            length = self._length(number)
            self._file.seek(len(MAGIC) + self._ends[number] - length + number * self._overhead)
            sealed = self._file.read(length + self._overhead)
            self._last = (number, keys.open_sealed(self._holder, sealed, _context(self._name, number)))
        return self._last[1]


def write(name: str, content: BinaryIO, *, holder: str, index: bytes = b"", cuts: Sequence[int] = ()) -> None:
    """Seal a content as a container; it is on disk when this returns.

    Args:
        content: a seekable file, read from its start.
        index: attached and returned by :attr:`SealedContainer.index`; sealed as well.
        cuts: offsets at which a new piece begins, so that what lies between two of them is read without the rest.
    """
    _save(name, _sealed(name, holder, _split(content, cuts), index))


def reseal(name: str, *, holder: str) -> bool:
    """Re-encrypt a container under the holder's newest key; False if it already is."""
    with SealedContainer(name, holder=holder) as container:
        if container.sealed_with() == keys.primary_id(holder):
            return False
        _save(name, _sealed(name, holder, container.pieces(), container.index))
    return True


def is_container(start: bytes) -> bool:
    """Return whether a file with these first bytes is a container."""
    return start.startswith(MAGIC)


def _split(content: BinaryIO, cuts: Sequence[int]) -> Iterator[bytes]:
    content.seek(0)
    position = 0
    for cut in [*sorted(set(cuts)), None]:
        while cut is None or position < cut:
            piece = content.read(PIECE_BYTES if cut is None else min(PIECE_BYTES, cut - position))
            if not piece:
                return
            position += len(piece)
            yield piece


def _sealed(name: str, holder: str, pieces: Iterable[bytes], index: bytes) -> Iterator[bytes]:
    lengths, overhead = array("I"), 0
    yield MAGIC
    for number, piece in enumerate(pieces):
        sealed = keys.seal(holder, piece, _context(name, number))
        overhead = len(sealed) - len(piece)
        lengths.append(len(piece))
        yield sealed
    table = keys.seal(holder, _TABLE.pack(overhead, len(lengths)) + lengths.tobytes() + index, _table_context(name))
    yield table
    yield _FOOTER.pack(len(table), MAGIC)


def _read_table(file: BinaryIO, name: str, holder: str) -> tuple[int, array[int], bytes]:
    size = file.seek(0, io.SEEK_END)
    tail = _tail(file, size, _TAIL_BYTES)
    if len(tail) < _FOOTER.size:
        raise Damaged(f"{name}: not a sealed container")
    length, magic = _FOOTER.unpack(tail[-_FOOTER.size :])
    if magic != MAGIC or length + _FOOTER.size > size:
        raise Damaged(f"{name}: not a sealed container, or cut off")
    if length + _FOOTER.size > len(tail):
        tail = _tail(file, size, length + _FOOTER.size)
    sealed = tail[-_FOOTER.size - length : -_FOOTER.size]
    table = keys.open_sealed(holder, sealed, _table_context(name))
    overhead, count = _TABLE.unpack_from(table)
    lengths = array("I")
    lengths.frombytes(table[_TABLE.size : _TABLE.size + count * lengths.itemsize])
    if len(MAGIC) + sum(lengths) + count * overhead + length + _FOOTER.size != size:
        raise Damaged(f"{name}: pieces were removed or added")
    return overhead, lengths, table[_TABLE.size + count * lengths.itemsize :]


def _tail(file: BinaryIO, size: int, length: int) -> bytes:
    file.seek(max(0, size - length))
    return file.read(length)


def _context(name: str, number: int) -> str:
    return f"container:{name}:{number}"


def _table_context(name: str) -> str:
    return f"container:{name}:table"


class _SealedFile(File):  # type: ignore[type-arg]
    """Hands sealed bytes to a storage as they are produced."""

    def __init__(self, blocks: Iterator[bytes], name: str) -> None:
        super().__init__(None, name)  # type: ignore[arg-type]
        self._blocks = blocks

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        return self._blocks


def _save(name: str, blocks: Iterator[bytes]) -> None:
    store = sealed_store()
    if getattr(store, "writes_chunks", False):
        store.save(name, _SealedFile(blocks, name))
    else:
        _upload(store, name, blocks)


def _upload(store: Storage, name: str, blocks: Iterator[bytes]) -> None:
    """Send to a storage that wants a file; the spooled bytes are sealed already."""
    with tempfile.TemporaryFile() as spool:
        for block in blocks:
            spool.write(block)
        spool.seek(0)
        store.save(name, File(spool, name))

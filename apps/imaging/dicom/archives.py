"""Safe reading of untrusted ZIP archives: no entry name is ever used as a path."""

from __future__ import annotations

import struct
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from apps.imaging.dicom.parser import Unreadable

MAX_ENTRIES = 10_000
MAX_TOTAL_BYTES = 8 * 2**30
_END_RECORD = b"PK\x05\x06"


@dataclass(frozen=True)
class Entry:
    """One file of an archive: its content, or why it was not accepted."""

    name: str
    content: BinaryIO | None
    problem: Unreadable | None = None


def looks_like_zip(stream: BinaryIO) -> bool:
    """Return whether the first bytes are those of a ZIP archive (APPNOTE.TXT section 4.3)."""
    stream.seek(0)
    return stream.read(4) in (b"PK\x03\x04", _END_RECORD)


def entries(stream: BinaryIO) -> Iterator[Entry]:
    """Yield each file of the archive; its content is valid until the next iteration.

    Raises:
        Unreadable: ``zip_damaged`` or ``zip_too_many``, for the archive as a whole.
    """
    if _declared_entries(stream) > MAX_ENTRIES:
        raise Unreadable("zip_too_many", most=MAX_ENTRIES)
    try:
        archive = zipfile.ZipFile(stream)
    except Exception as error:  # zipfile raises arbitrary exceptions on damaged input
        raise Unreadable("zip_damaged") from error
    budget = MAX_TOTAL_BYTES
    for info in archive.infolist():
        if info.filename.endswith("/") or info.filename.startswith("__MACOSX/"):
            continue
        try:
            content = _extract(archive, info, budget)
        except Unreadable as problem:
            yield Entry(info.filename, None, problem)
            continue
        with content:
            budget -= content.tell()
            content.seek(0)
            yield Entry(info.filename, content)


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: int) -> BinaryIO:
    if ".." in PurePosixPath(info.filename.replace("\\", "/")).parts or info.filename.startswith(("/", "\\")):
        raise Unreadable("zip_unsafe_name")
    if info.flag_bits & 1:
        raise Unreadable("zip_encrypted")
    content: BinaryIO = tempfile.TemporaryFile()
    try:
        for block in _blocks(archive, info):
            if content.tell() + len(block) > budget:
                raise Unreadable("zip_too_large", gibibytes=MAX_TOTAL_BYTES // 2**30)
            content.write(block)
    except BaseException:
        content.close()
        raise
    if looks_like_zip(content):
        content.close()
        raise Unreadable("zip_nested")
    content.seek(0, 2)
    return content


def _blocks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(info) as source:
            while block := source.read(2**20):
                yield block
    except Exception as error:  # zipfile raises arbitrary exceptions on damaged input
        raise Unreadable("zip_entry_damaged") from error


def _declared_entries(stream: BinaryIO) -> int:
    """Read the number of entries from the end record, before the directory is loaded into memory.

    ZIP64 archives declare 0xFFFF, which also exceeds the limit.
    """
    size = stream.seek(0, 2)
    stream.seek(max(0, size - 65_557))
    tail = stream.read()
    at = tail.rfind(_END_RECORD)
    if at < 0 or at + 12 > len(tail):
        raise Unreadable("zip_damaged")
    return int(struct.unpack_from("<H", tail, at + 10)[0])

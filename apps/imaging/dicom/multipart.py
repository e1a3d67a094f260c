"""Streaming parser for multipart/related (RFC 2387) as used by DICOMweb; long parts are spooled to unnamed files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from types import TracebackType
from typing import BinaryIO, Protocol, cast

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from apps.imaging.dicom.parser import Unreadable

MAX_BOUNDARY_LENGTH = 200
"""RFC 2046 section 5.1.1 allows 70; Orthanc sends 73."""
MAX_HEADER_BYTES = 16_384
MAX_PREAMBLE_BYTES = 2**20
IN_MEMORY = 4 * 2**20
"""Longer parts go to a file without a name, so that a crash leaves no plaintext behind."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass
class Part:
    """A part of the body.

    Attributes:
        headers: by name in small letters.
        content: its bytes, a seekable file.
    """

    content: BinaryIO
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def media_type(self) -> str:
        """Media type without parameters, in small letters; application/dicom if none is given."""
        return self.headers.get("content-type", "application/dicom").partition(";")[0].strip().lower()

    def parameter(self, name: str) -> str:
        """Return a parameter of the Content-Type; empty if it is not given."""
        message = Message()
        message["content-type"] = self.headers.get("content-type", "")
        value = message.get_param(name)
        return value if isinstance(value, str) else ""

    def __enter__(self) -> Part:
        self.content.seek(0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.content.close()


def boundary_of(content_type: str) -> bytes:
    """Return the boundary of a multipart/related content type.

    Raises:
        Unreadable: ``bad_multipart`` for any other content type.
    """
    message = Message()
    message["content-type"] = content_type
    boundary = message.get_param("boundary")
    if message.get_content_type() != "multipart/related" or not isinstance(boundary, str):
        raise Unreadable("bad_multipart")
    if not 0 < len(boundary) <= MAX_BOUNDARY_LENGTH:
        raise Unreadable("bad_multipart")
    return boundary.encode("latin-1", "replace")


class _Collector:
    """Collects the parts from the parser's callbacks."""

    def __init__(self) -> None:
        self.finished: list[Part] = []
        self.current: Part | None = None
        self._name, self._value, self._header_bytes = b"", b"", 0

    def callbacks(self) -> dict[str, object]:
        """Return the callbacks of :class:`MultipartParser`."""
        names = ("part_begin", "part_data", "part_end", "header_field", "header_value", "header_end")
        return {f"on_{name}": getattr(self, name) for name in names}

    def part_begin(self) -> None:
        self.current = Part(cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)))
        self._header_bytes = 0

    def header_field(self, block: bytes, start: int, end: int) -> None:
        self._name += self._limited(block[start:end])

    def header_value(self, block: bytes, start: int, end: int) -> None:
        self._value += self._limited(block[start:end])

    def _limited(self, content: bytes) -> bytes:
        self._header_bytes += len(content)
        if self._header_bytes > MAX_HEADER_BYTES:
            raise Unreadable("bad_multipart")
        return content

    def header_end(self) -> None:
        assert self.current is not None
        self.current.headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1").strip()
        self._name = self._value = b""

    def part_data(self, block: bytes, start: int, end: int) -> None:
        assert self.current is not None
        self.current.content.write(memoryview(block)[start:end])

    def part_end(self) -> None:
        assert self.current is not None
        self.finished.append(self.current)
        self.current = None


class _WithoutPreamble:
    """A body from its first boundary on: RFC 2046 section 5.1.1 lets a text precede it."""

    def __init__(self, body: Readable, boundary: bytes) -> None:
        self._body, self._line = body, b"--" + boundary
        self._begun = False

    def read(self, size: int, /) -> bytes:
        if self._begun:
            return self._body.read(size)
        self._begun = True
        start = b""
        while len(start) < MAX_PREAMBLE_BYTES and (block := self._body.read(size)):
            start += block
            if start.startswith(self._line):
                return start
            if (place := start.find(b"\r\n" + self._line)) >= 0:
                return start[place + 2 :]
        return start


def parts(body: Readable, boundary: bytes, *, max_bytes: int) -> Iterator[Part]:
    """Yield each part, which the caller closes.

    Raises:
        Unreadable: ``bad_multipart`` if the body is malformed or cut off, ``body_too_large``.
    """
    collector = _Collector()
    parser = MultipartParser(boundary, callbacks=collector.callbacks())  # type: ignore[arg-type]
    size = seen = 0
    body = _WithoutPreamble(body, boundary)
    while block := body.read(1024 * 1024):
        size += len(block)
        if size > max_bytes:
            raise Unreadable("body_too_large")
        try:
            parser.write(block)
        except FormParserError as error:
            raise Unreadable("bad_multipart") from error
        seen += len(collector.finished)
        while collector.finished:
            yield collector.finished.pop(0)
    if collector.current or not seen:
        raise Unreadable("bad_multipart")

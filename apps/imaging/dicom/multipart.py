"""Streaming parser for multipart/related (RFC 2387) as used by DICOMweb; parts are spooled to unnamed files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from email.message import Message
from typing import BinaryIO, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from apps.imaging.dicom.parser import Unreadable

MAX_BOUNDARY_LENGTH = 70
"""RFC 2046 section 5.1.1."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


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


def parts(body: Readable, boundary: bytes, *, max_bytes: int) -> Iterator[BinaryIO]:
    """Yield each part's content, positioned at its start and closed on the next iteration.

    Raises:
        Unreadable: ``bad_multipart`` if the body is malformed, ``body_too_large``.
    """
    finished: list[BinaryIO] = []
    current: list[BinaryIO] = []

    def begin() -> None:
        current.append(tempfile.TemporaryFile())

    def data(block: bytes, start: int, end: int) -> None:
        current[0].write(block[start:end])

    def end() -> None:
        finished.append(current.pop())

    parser = MultipartParser(boundary, callbacks={"on_part_begin": begin, "on_part_data": data, "on_part_end": end})
    size = seen = 0
    while block := body.read(256 * 1024):
        size += len(block)
        if size > max_bytes:
            raise Unreadable("body_too_large")
        try:
            parser.write(block)
        except FormParserError as error:
            raise Unreadable("bad_multipart") from error
        while finished:
            seen += 1
            with finished.pop(0) as part:
                part.seek(0)
                yield part
    if current or not seen:
        raise Unreadable("bad_multipart")

"""Recognition of files that people upload in place of DICOM, by their first bytes."""

from __future__ import annotations

from typing import BinaryIO

_STARTS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "picture"),  # JPEG
    (0, b"\x89PNG\r\n\x1a\n", "picture"),
    (0, b"GIF87a", "picture"),
    (0, b"GIF89a", "picture"),
    (0, b"BM", "bitmap"),
    (0, b"II*\x00", "picture"),  # TIFF
    (0, b"MM\x00*", "picture"),
    (0, b"\x00\x00\x00\x0cjP  ", "picture"),  # JPEG 2000
    (0, b"\xff\x4f\xff\x51", "picture"),
    (8, b"WEBP", "picture"),
    (8, b"AVI ", "video"),
    (0, b"\x1a\x45\xdf\xa3", "video"),  # Matroska, WebM
    (0, b"\x00\x00\x01\xba", "video"),  # MPEG
    (0, b"%PDF-", "pdf"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"),
    (0, b"{\\rtf", "office"),
    (0, b"Rar!\x1a\x07", "archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "archive"),
    (0, b"\x1f\x8b", "archive"),  # gzip, so .nii.gz and .tar.gz
    (0, b"BZh", "archive"),
    (0, b"\xfd7zXZ\x00", "archive"),
    (0, b"\x28\xb5\x2f\xfd", "archive"),  # Zstandard
    (257, b"ustar", "archive"),
    (0x8001, b"CD001", "archive"),  # ISO 9660
    (344, b"n+1\x00", "research"),  # NIfTI-1
    (344, b"ni1\x00", "research"),
    (4, b"n+2\x00", "research"),  # NIfTI-2
    (0, b"NRRD000", "research"),
    (0, b"ObjectType = Image", "research"),  # MetaImage
    (0, b"MSH|", "message"),  # HL7 v2
)
_STILL_BRANDS = (b"heic", b"heix", b"heif", b"mif1", b"msf1", b"avif")


def recognise(stream: BinaryIO) -> str:
    """Return the kind of a file: picture, video, pdf, office, archive, research, message; empty if unknown."""
    stream.seek(0)
    start = stream.read(0x8001 + 5)
    if start[4:8] == b"ftyp":  # ISO/IEC 14496-12
        return "picture" if start[8:12] in _STILL_BRANDS else "video"
    kind = next((kind for offset, magic, kind in _STARTS if start[offset : offset + len(magic)] == magic), "")
    if kind != "bitmap":
        return kind
    size = int.from_bytes(start[2:6], "little")
    return "picture" if size == stream.seek(0, 2) else ""

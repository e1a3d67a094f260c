"""Content negotiation of DICOMweb, PS3.18 section 8.7: from Accept and what is stored to what is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
DICOM, OCTETS = "application/dicom", "application/octet-stream"
JSON, PLAIN_JSON, XML = "application/dicom+json", "application/json", "application/dicom+xml"
_RELATED = "multipart/related"
_JPEG = "1.2.840.10008.1.2.4."
COMPRESSED_MEDIA_TYPES = {
    "image/jpeg": (f"{_JPEG}70", f"{_JPEG}50", f"{_JPEG}51", f"{_JPEG}57"),
    "image/dicom-rle": ("1.2.840.10008.1.2.5",),
    "image/jls": (f"{_JPEG}80", f"{_JPEG}81"),
    "image/jp2": (f"{_JPEG}90", f"{_JPEG}91"),
    "image/jpx": (f"{_JPEG}92", f"{_JPEG}93"),
    "image/jphc": (f"{_JPEG}201", f"{_JPEG}202", f"{_JPEG}203"),
    "image/jxl": (f"{_JPEG}110", f"{_JPEG}111", f"{_JPEG}112"),
    "video/mpeg": (f"{_JPEG}100", f"{_JPEG}100.1", f"{_JPEG}101", f"{_JPEG}101.1"),
    "video/mp4": tuple(
        _JPEG + f"{number}{part}" for number in (102, 103, 104, 105, 106, 107, 108) for part in ("", ".1")
    ),
}
"""PS3.18 table 8.7.3-5; the default of each media type first."""
_MEDIA_TYPE_OF = {syntax: kind for kind, syntaxes in COMPRESSED_MEDIA_TYPES.items() for syntax in syntaxes}
_NATIVE = frozenset({"1.2.840.10008.1.2", EXPLICIT_LITTLE_ENDIAN, "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"})
_LOSSY = frozenset(f"{_JPEG}{end}" for end in ("50", "51", "81", "91", "93", "112", "203")) | frozenset(
    syntax for kind in ("video/mpeg", "video/mp4") for syntax in COMPRESSED_MEDIA_TYPES[kind]
)
"""Syntaxes that are lossy or, where they allow both, are used for it: the stored form is then the best there is."""
_RANGE = re.compile(r'\s*([^\s;,="/]+/[^\s;,="/]+(?: [^\s;,="/]+)?)\s*((?:;[^,"]*(?:"(?:[^"\\]|\\.)*"[^,"]*)*)?)\s*')
_PARAMETER = re.compile(r';\s*([^\s=;]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"]*)')
_MAX_LENGTH = 8_192


class Category(Enum):
    """Resource categories by their representations (PS3.18 table 8.7.2-1)."""

    INSTANCES = "instances"
    FRAMES = "frames"
    BULK_DATA = "bulk data"
    RENDERED = "rendered"
    METADATA = "metadata"


@dataclass(frozen=True)
class Choice:
    """Representation to send.

    Attributes:
        media_type: of each part, or of the body if it is not multipart.
        transfer_syntax: empty for metadata and rendered pictures.
        multipart: whether the body is multipart/related.
    """

    media_type: str
    transfer_syntax: str = ""
    multipart: bool = True


@dataclass(frozen=True)
class MediaRange:
    """One range of an Accept header (RFC 9110 section 12.5.1), names in small letters.

    Attributes:
        media_type: the type inside multipart/related, such as "application/dicom"; "*/*" if it names none.
        transfer_syntax: a UID, "*", or empty.
    """

    media_type: str
    transfer_syntax: str
    multipart: bool | None
    quality: float
    place: int

    def fits(self, candidate: _Candidate) -> bool:
        """Return whether a representation lies within the range."""
        if self.multipart not in (None, candidate.choice.multipart) and self.quality > 0:
            return False  # a refused type (q=0) is refused in either packing
        if self.media_type == "*/*" and not self.transfer_syntax:
            return candidate.overall
        if not _covers(self.media_type, candidate.choice.media_type):
            return False
        if not self.transfer_syntax:
            return candidate.default
        return self.transfer_syntax in ("*", candidate.choice.transfer_syntax)

    @property
    def specificity(self) -> tuple[int, int]:
        """Sort key: of several ranges that fit, the most specific gives the quality."""
        media = 0 if self.media_type == "*/*" else 1 if self.media_type.endswith("/*") else 2
        return media, ("", "*").index(self.transfer_syntax) if self.transfer_syntax in ("", "*") else 2


@dataclass(frozen=True)
class _Candidate:
    """A representation that the server can send.

    Attributes:
        default: whether a range that names its media type but no transfer syntax means it.
        overall: whether "*/*" means it: the default media type of the category.
    """

    choice: Choice
    default: bool = True
    as_stored: bool = False
    overall: bool = True


@dataclass(frozen=True)
class Stored:
    """What is stored.

    Attributes:
        transfer_syntax: empty for an instance without pixels that needs none.
        transcodable: transfer syntaxes that it can be converted to without loss.
        single: whether the resource is one part, so that it may be sent without multipart.
    """

    transfer_syntax: str = EXPLICIT_LITTLE_ENDIAN
    transcodable: frozenset[str] = field(default_factory=frozenset)
    single: bool = False


def _covers(media_range: str, media_type: str) -> bool:
    """Return whether "*/*", "image/*" or "image/jpeg" covers a media type."""
    if media_range.endswith("/*"):
        return media_range == "*/*" or media_type.startswith(media_range[:-1])
    return media_range == media_type


def negotiate(accept: str | None, category: Category, stored: Stored, *, query: str | None = None) -> Choice | None:
    """Choose the representation to send.

    Args:
        accept: the Accept header, None if there is none.
        query: the ``accept`` query parameter, which takes precedence over the header (PS3.18 section 8.3.3.1).

    Returns:
        The choice of the highest quality; among equals the stored form, which needs no transcoding, then the client's
        order. None if nothing is acceptable: 406.
    """
    text = query if query and query.strip() else accept
    candidates = list(_candidates(category, stored))
    if text is None or not text.strip():
        return candidates[0].choice if candidates else None
    ranges = parse_accept(text)
    best: tuple[tuple[float, bool, int, int], Choice] | None = None
    for place, candidate in enumerate(candidates):
        fitting = [media_range for media_range in ranges if media_range.fits(candidate)]
        if not fitting:
            continue
        chosen = max(fitting, key=lambda media_range: (media_range.specificity, media_range.quality))
        if chosen.quality <= 0:
            continue
        rank = (chosen.quality, candidate.as_stored, -chosen.place, -place)
        if best is None or rank > best[0]:
            best = rank, candidate.choice
    return best[1] if best else None


def negotiate_uri(
    content_type: str | None, stored: Stored, *, transfer_syntax: str | None = None, drawable: bool = True
) -> Choice | None:
    """Choose the representation of the URI service, WADO-URI (PS3.18 section 9.4).

    Args:
        content_type: the ``contentType`` query parameter, a list of media types.
        transfer_syntax: the ``transferSyntax`` parameter, which matters for application/dicom only; one that the
            object cannot be sent in gives way to the default, as the standard asks.
        drawable: whether the object is an image of one frame, whose default is image/jpeg.

    Returns:
        The choice, never multipart; None if nothing is acceptable: 406.
    """
    rendered = {"image/jpeg", "image/png", "image/gif"}
    default = "image/jpeg" if drawable else DICOM
    for media_range in sorted(parse_accept(content_type or default), key=lambda each: -each.quality):
        media_type = default if media_range.media_type == "*/*" else media_range.media_type
        if media_type == DICOM and media_range.quality > 0:
            possible = transfer_syntax in (stored.transfer_syntax, *stored.transcodable)
            return Choice(DICOM, str(transfer_syntax) if possible else _default_syntax(stored), multipart=False)
        if drawable and media_type in rendered and media_range.quality > 0:
            return Choice(media_type, multipart=False)
    return None


def parse_accept(text: str) -> list[MediaRange]:
    """Parse an Accept header or query parameter; what cannot be parsed is left out.

    A space for the plus sign of "application/dicom json", which decoding a query makes, is put right.
    """
    ranges = []
    for place, match in enumerate(_RANGE.finditer(text[:_MAX_LENGTH])):
        parameters = {
            name.lower(): re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value.strip()
            for name, value in _PARAMETER.findall(match[2])
        }
        media_type = match[1].lower().replace(" ", "+")
        multipart: bool | None = False
        if media_type in (_RELATED, "multipart/*"):
            media_type, multipart = parameters.get("type", "*/*").lower().replace(" ", "+") or "*/*", True
        elif media_type.endswith("/*") or media_type.startswith("*"):
            multipart = None
        syntax = parameters.get("transfer-syntax", "").strip(" \0")
        ranges.append(MediaRange(media_type, syntax, multipart, _quality(parameters.get("q", "1")), place))
    return ranges


def _quality(text: str) -> float:
    return min(float(text), 1.0) if re.fullmatch(r"[0-9](\.[0-9]*)?", text) else 0.0


def charset_is_acceptable(header: str | None, query: str | None = None) -> bool:
    """Return whether UTF-8, the only character set that is sent, is acceptable (PS3.18 section 8.3.3.2)."""
    text = query if query and query.strip() else header
    if not text or not text.strip():
        return True
    qualities = {}
    for part in text.split(","):
        name, _, rest = part.partition(";")
        quality = re.fullmatch(r"\s*q\s*=\s*(\S+)\s*", rest)
        qualities[name.strip(' "').lower()] = _quality(quality[1]) if quality else 1.0
    return max(qualities.get("utf-8", qualities.get("utf8", qualities.get("*", 0.0))), 0.0) > 0


def media_type_of(transfer_syntax: str) -> str | None:
    """Return the bulk data media type of a transfer syntax; None if PS3.18 has none."""
    return OCTETS if transfer_syntax in _NATIVE else _MEDIA_TYPE_OF.get(transfer_syntax)


def _candidates(category: Category, stored: Stored) -> Iterator[_Candidate]:
    if category is Category.INSTANCES:
        yield from _packed(_instances(stored), stored)
    elif category is Category.FRAMES:
        yield from _packed(_frames(stored), stored)
    elif category is Category.BULK_DATA:
        yield from _packed([_Candidate(Choice(OCTETS, EXPLICIT_LITTLE_ENDIAN), as_stored=True)], stored)
    elif category is Category.RENDERED:
        for kind in ("image/jpeg", "image/png", "image/gif"):
            yield _Candidate(Choice(kind, multipart=False))
            yield _Candidate(Choice(kind))
    else:
        yield _Candidate(Choice(JSON, multipart=False))
        yield _Candidate(Choice(PLAIN_JSON, multipart=False))
        yield _Candidate(Choice(XML))
        if stored.single:
            yield _Candidate(Choice(XML, multipart=False))


def _packed(candidates: Iterable[_Candidate], stored: Stored) -> Iterator[_Candidate]:
    """Add the single-part form of each candidate, where the resource is one part."""
    for candidate in candidates:
        yield candidate
        if stored.single:
            choice = Choice(candidate.choice.media_type, candidate.choice.transfer_syntax, multipart=False)
            yield replace(candidate, choice=choice)


def _default_syntax(stored: Stored) -> str:
    """Return the syntax of a request that names none: Explicit VR Little Endian, unless only lossy data are there."""
    syntax = stored.transfer_syntax
    can = syntax == EXPLICIT_LITTLE_ENDIAN or EXPLICIT_LITTLE_ENDIAN in stored.transcodable
    return EXPLICIT_LITTLE_ENDIAN if can and syntax not in _LOSSY else syntax


def _instances(stored: Stored) -> Iterator[_Candidate]:
    default = _default_syntax(stored)
    others = sorted(stored.transcodable - {default, stored.transfer_syntax})
    for syntax in dict.fromkeys((default, stored.transfer_syntax, *others)):
        as_stored = syntax == stored.transfer_syntax
        is_default = syntax == default
        yield _Candidate(Choice(DICOM, syntax), is_default, as_stored, is_default)


def _frames(stored: Stored) -> Iterator[_Candidate]:
    """Yield octet streams first: the default of PS3.18 section 8.7.3.3 for images."""
    native = stored.transfer_syntax in _NATIVE
    decodable = native or EXPLICIT_LITTLE_ENDIAN in stored.transcodable
    if decodable:
        yield _Candidate(Choice(OCTETS, EXPLICIT_LITTLE_ENDIAN), as_stored=native)
    syntaxes = sorted(stored.transcodable - {EXPLICIT_LITTLE_ENDIAN, stored.transfer_syntax})
    for syntax in [*([] if native else [stored.transfer_syntax]), *syntaxes]:
        as_stored = syntax == stored.transfer_syntax
        if kind := _MEDIA_TYPE_OF.get(syntax):
            default = as_stored or syntax == COMPRESSED_MEDIA_TYPES[kind][0]
            yield _Candidate(Choice(kind, syntax), default, as_stored, as_stored and not decodable)
        only = as_stored and not decodable
        yield _Candidate(Choice(OCTETS, syntax), only, as_stored, only)

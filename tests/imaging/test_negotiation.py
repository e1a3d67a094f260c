"""Accept headers that clients really send, and what PS3.18 section 8.7 chooses for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.imaging.dicom.negotiation import (
    Category,
    Choice,
    Stored,
    charset_is_acceptable,
    media_type_of,
    negotiate,
    negotiate_uri,
    parse_accept,
)

IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
BASELINE, LOSSLESS = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70"
JLS, J2K, HTJ2K = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201"
RLE, MPEG4 = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.102"
DICOM, OCTETS = "application/dicom", "application/octet-stream"
OHIF = "multipart/related; type=application/octet-stream; transfer-syntax=*"
ALL = frozenset({EXPLICIT, JLS, J2K, HTJ2K, RLE})
PLAIN = Stored(IMPLICIT, ALL)
AS_JLS = Stored(JLS, ALL - {JLS})
AS_JPEG = Stored(BASELINE, ALL)
VIDEO = Stored(MPEG4)


@pytest.mark.parametrize(
    ("accept", "stored", "expected"),
    [
        (None, PLAIN, Choice(OCTETS, EXPLICIT)),
        ("", AS_JLS, Choice(OCTETS, EXPLICIT)),
        ("*/*", AS_JLS, Choice(OCTETS, EXPLICIT)),
        ("*/*", VIDEO, Choice("video/mp4", MPEG4)),
        (None, VIDEO, Choice("video/mp4", MPEG4)),
        (OHIF, PLAIN, Choice(OCTETS, EXPLICIT)),
        (OHIF, Stored(BIG, ALL), Choice(OCTETS, EXPLICIT)),
        (OHIF, AS_JLS, Choice(OCTETS, JLS)),
        (OHIF, AS_JPEG, Choice(OCTETS, BASELINE)),
        ('multipart/related; type="application/octet-stream"', AS_JLS, Choice(OCTETS, EXPLICIT)),
        ("multipart/related;type=application/octet-stream", AS_JPEG, Choice(OCTETS, EXPLICIT)),
        ('multipart/related; type="image/jls"', AS_JLS, Choice("image/jls", JLS)),
        ('multipart/related; type="image/jls"', PLAIN, Choice("image/jls", JLS)),
        (f'multipart/related; type="image/jls"; transfer-syntax={JLS}', PLAIN, Choice("image/jls", JLS)),
        (f'multipart/related; type="image/jls"; transfer-syntax="{JLS}"', PLAIN, Choice("image/jls", JLS)),
        (f'Multipart/Related;Type="image/JLS";Transfer-Syntax={JLS}', PLAIN, Choice("image/jls", JLS)),
        ('multipart/related; type="image/jpeg"', AS_JPEG, Choice("image/jpeg", BASELINE)),
        ('multipart/related; type="image/jpeg"', AS_JLS, None),
        (f'multipart/related; type="image/jpeg"; transfer-syntax={LOSSLESS}', AS_JPEG, None),
        (f"multipart/related; type=image/jphc; transfer-syntax={HTJ2K}", AS_JLS, Choice("image/jphc", HTJ2K)),
        ('multipart/related; type="image/jphc"', PLAIN, Choice("image/jphc", HTJ2K)),
        (f"multipart/related; type=application/octet-stream; transfer-syntax={HTJ2K}", PLAIN, Choice(OCTETS, HTJ2K)),
        ('multipart/related; type="image/*"', AS_JLS, Choice("image/jls", JLS)),
        ("multipart/related; transfer-syntax=*", AS_JLS, Choice("image/jls", JLS)),
        ("multipart/related", AS_JLS, Choice(OCTETS, EXPLICIT)),
        (OHIF, VIDEO, Choice(OCTETS, MPEG4)),
        ('multipart/related; type="application/octet-stream"', VIDEO, Choice(OCTETS, MPEG4)),
        ('multipart/related; type="application/dicom"', PLAIN, None),
        ("application/octet-stream", PLAIN, None),
        ("text/html", PLAIN, None),
        ("nonsense", PLAIN, None),
        (
            f'multipart/related; type="image/jpeg"; transfer-syntax={LOSSLESS}, '
            f'multipart/related; type="image/jls"; transfer-syntax={JLS}, '
            'multipart/related; type="application/octet-stream"',
            AS_JLS,
            Choice("image/jls", JLS),
        ),
        (
            'multipart/related; type="application/octet-stream", multipart/related; type="image/jls"',
            PLAIN,
            Choice(OCTETS, EXPLICIT),
        ),
        (
            'multipart/related; type="image/jls"; q=0.4, multipart/related; type="image/jphc"; q=0.9',
            AS_JLS,
            Choice("image/jphc", HTJ2K),
        ),
        (f"{OHIF}; q=0.5, */*;q=0.1", AS_JLS, Choice(OCTETS, JLS)),
        ('*/*, multipart/related; type="application/octet-stream"; q=0', AS_JLS, None),
    ],
)
def test_frames(accept: str | None, stored: Stored, expected: Choice | None) -> None:
    assert negotiate(accept, Category.FRAMES, stored) == expected


@pytest.mark.parametrize(
    ("accept", "stored", "expected"),
    [
        (None, PLAIN, Choice(DICOM, EXPLICIT)),
        ("*/*", AS_JLS, Choice(DICOM, EXPLICIT)),
        ('multipart/related; type="application/dicom"', AS_JPEG, Choice(DICOM, BASELINE)),
        ('multipart/related; type="application/dicom"; transfer-syntax=*', PLAIN, Choice(DICOM, IMPLICIT)),
        ('multipart/related; type="application/dicom"; transfer-syntax=*', AS_JLS, Choice(DICOM, JLS)),
        (f"multipart/related; type=application/dicom; transfer-syntax={HTJ2K}", AS_JLS, Choice(DICOM, HTJ2K)),
        (f"multipart/related; type=application/dicom; transfer-syntax={MPEG4}", AS_JLS, None),
        (
            f'multipart/related; type="application/dicom"; transfer-syntax={HTJ2K}, '
            f'multipart/related; type="application/dicom"; transfer-syntax={EXPLICIT}',
            PLAIN,
            Choice(DICOM, HTJ2K),
        ),
        ("application/dicom", PLAIN, None),
        ("application/dicom", Stored(IMPLICIT, ALL, single=True), Choice(DICOM, EXPLICIT, multipart=False)),
        ("application/dicom; transfer-syntax=*", Stored(JLS, ALL, single=True), Choice(DICOM, JLS, multipart=False)),
        ("*/*", Stored(JLS, ALL, single=True), Choice(DICOM, EXPLICIT)),
        ("multipart/related; type=application/dicom", Stored(MPEG4), Choice(DICOM, MPEG4)),
    ],
)
def test_instances(accept: str | None, stored: Stored, expected: Choice | None) -> None:
    assert negotiate(accept, Category.INSTANCES, stored) == expected


@pytest.mark.parametrize(
    ("accept", "category", "expected"),
    [
        (None, Category.METADATA, "application/dicom+json"),
        ("*/*", Category.METADATA, "application/dicom+json"),
        ("application/json", Category.METADATA, "application/json"),
        ("application/dicom+json, application/json;q=0.9", Category.METADATA, "application/dicom+json"),
        ('multipart/related; type="application/dicom+xml"', Category.METADATA, "application/dicom+xml"),
        ("application/*", Category.METADATA, "application/dicom+json"),
        ("image/jpeg", Category.METADATA, None),
        (None, Category.RENDERED, "image/jpeg"),
        ("image/*", Category.RENDERED, "image/jpeg"),
        ("image/png", Category.RENDERED, "image/png"),
        ("image/jpeg;q=0.5, image/png", Category.RENDERED, "image/png"),
        ("*/*, image/jpeg;q=0", Category.RENDERED, "image/png"),
        ("image/*, image/jpeg;q=0", Category.RENDERED, "image/png"),
        ("image/gif", Category.RENDERED, "image/gif"),
        ("image/webp, */*;q=0.1", Category.RENDERED, "image/jpeg"),
        ("image/webp", Category.RENDERED, None),
        (None, Category.BULK_DATA, "application/octet-stream"),
        (OHIF, Category.BULK_DATA, "application/octet-stream"),
        ("image/jpeg", Category.BULK_DATA, None),
    ],
)
def test_other_categories(accept: str | None, category: Category, expected: str | None) -> None:
    choice = negotiate(accept, category, Stored())
    assert (choice.media_type if choice else None) == expected


def test_bulk_data_may_be_a_single_part() -> None:
    choice = negotiate(OCTETS, Category.BULK_DATA, Stored(single=True))
    assert choice == Choice(OCTETS, EXPLICIT, multipart=False)


@pytest.mark.parametrize(
    ("content_type", "syntax", "drawable", "expected"),
    [
        (None, None, True, Choice("image/jpeg", multipart=False)),
        (None, None, False, Choice(DICOM, EXPLICIT, multipart=False)),
        ("application/dicom", None, True, Choice(DICOM, EXPLICIT, multipart=False)),
        ("application/dicom", JLS, True, Choice(DICOM, JLS, multipart=False)),
        ("application/dicom", HTJ2K, True, Choice(DICOM, HTJ2K, multipart=False)),
        ("application/dicom", MPEG4, True, Choice(DICOM, EXPLICIT, multipart=False)),
        ("image/png, application/dicom;q=0.5", None, True, Choice("image/png", multipart=False)),
        ("image/png, application/dicom;q=0.5", None, False, Choice(DICOM, EXPLICIT, multipart=False)),
        ("*/*", None, True, Choice("image/jpeg", multipart=False)),
        ("text/html", None, True, None),
        ("image/jpeg", None, False, None),
    ],
)
def test_the_uri_service(content_type: str | None, syntax: str | None, drawable: bool, expected: Choice | None) -> None:
    assert negotiate_uri(content_type, AS_JLS, transfer_syntax=syntax, drawable=drawable) == expected


def test_the_query_parameter_goes_before_the_header() -> None:
    assert negotiate("image/png", Category.RENDERED, Stored(), query="image/gif") == Choice(
        "image/gif", multipart=False
    )
    decoded = 'multipart/related; type="application/dicom xml"'  # a plus sign that was not escaped
    assert negotiate("image/png", Category.METADATA, Stored(), query=decoded) == Choice("application/dicom+xml")
    assert negotiate("image/png", Category.RENDERED, Stored(), query="") == Choice("image/png", multipart=False)


@pytest.mark.parametrize(
    ("header", "acceptable"),
    [
        (None, True),
        ("", True),
        ("utf-8", True),
        ("UTF-8", True),
        ("iso-8859-1", False),
        ("iso-8859-1, *;q=0.1", True),
        ("gb18030, utf-8;q=0", False),
        ("*;q=0", False),
    ],
)
def test_only_utf_8_is_sent(header: str | None, acceptable: bool) -> None:
    assert charset_is_acceptable(header) is acceptable
    assert charset_is_acceptable("utf-8", query=header) is (acceptable if header else True)


def test_media_types_of_transfer_syntaxes() -> None:
    assert media_type_of(IMPLICIT) == OCTETS
    assert media_type_of("1.2.840.10008.1.2.4.203") == "image/jphc"
    assert media_type_of("1.2.840.10008.1.2.4.106.1") == "video/mp4"
    assert media_type_of("1.2.3") is None


@given(st.text(alphabet='multipart/relatedyp=";, *q01.', max_size=300))
def test_no_header_raises(text: str) -> None:
    parse_accept(text)
    choice = negotiate(text, Category.FRAMES, AS_JLS)
    assert choice is None or choice.transfer_syntax in ALL

"""Values of data elements, read straight from their stored bytes, for the JSON and XML models of PS3.18 and PS3.19.

pydicom's conversion to Python objects drops or refuses what is invalid and costs most of the time. Here an element that
was read from a file is decoded from its bytes; what its VR cannot hold is kept as UN, byte for byte.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

from pydicom import DataElement, Dataset
from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_VR, private_dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import TEXT_VR_DELIMS
from pydicom.values import convert_SQ

SPECIFIC_CHARACTER_SET = 0x00080005
PIXEL_REPRESENTATION = 0x00280103
UTF_8 = "ISO_IR 192"
NUMBER_FORMATS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d"}
_NUMBER_SIZES = {vr: struct.calcsize(f"<{form}") for vr, form in NUMBER_FORMATS.items()}
BINARY_UNITS = {"OB": 1, "UN": 1, "OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
"""Bytes of a value that changes with the byte order, PS3.5 section 7.3."""
NUMBER_TEXT_VRS = frozenset({"DS", "IS"})
WHOLE_TEXT_VRS = frozenset({"LT", "ST", "UT", "UR"})
"""Text that is one value, in which a backslash is a character (PS3.5 section 6.2)."""
TEXT_VRS = frozenset({"AE", "AS", "CS", "DA", "DT", "LO", "SH", "TM", "UC", "UI"}) | WHOLE_TEXT_VRS
VRS = TEXT_VRS | NUMBER_TEXT_VRS | frozenset({"AT", "PN", "SQ", *NUMBER_FORMATS, *BINARY_UNITS})
_SPACES_INSIGNIFICANT = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI"})
_ESCAPE = b"\x1b"
_NAME_DELIMITERS = TEXT_VR_DELIMS | {0x5C, 0x5E, 0x3D}
_VALUE_DELIMITERS = TEXT_VR_DELIMS | {0x5C}
_AMBIGUOUS = {"OB or OW": "OW", "US or OW": "OW", "US or SS or OW": "US or SS"}


class Kind(Enum):
    """Form of an element's values."""

    NUMBERS = "numbers"
    TEXTS = "texts"
    NAMES = "names"
    ITEMS = "items"
    BINARY = "binary"


class Values(NamedTuple):
    """Values of one element.

    Attributes:
        content: NUMBERS: int or float, text where a decimal or integer string is no number, None where it is empty;
            TEXTS: str, None where empty; NAMES: str with "=" between the component groups; ITEMS: data sets;
            BINARY: little-endian bytes. An empty list or b"" if the element is empty.
    """

    vr: str
    kind: Kind
    content: Any


@dataclass(frozen=True)
class Scope:
    """What an item inherits from the data set around it.

    Attributes:
        encodings: Python codecs of the text, first the default.
        declared: whether a Specific Character Set says so.
        signed: Pixel Representation, which settles "US or SS".
    """

    encodings: tuple[str, ...] = ("iso8859",)
    declared: bool = False
    signed: bool = False

    def of(self, dataset: Dataset) -> Scope:
        """Return the scope within ``dataset``."""
        scope = self
        if (characters := dataset.get_item(SPECIFIC_CHARACTER_SET)) is not None:
            scope = replace(scope, encodings=_encodings(_characters(characters)), declared=True)
        if (representation := dataset.get_item(PIXEL_REPRESENTATION)) is not None:
            scope = replace(scope, signed=_is_one(representation))
        return scope


def sorted_tags(dataset: Dataset) -> list[BaseTag]:
    """Return the tags in ascending order without group lengths, which neither model has (PS3.18 section F.2.2)."""
    return sorted((tag for tag in dataset.keys() if tag & 0xFFFF), key=int)  # noqa: SIM118 - no conversion of elements


def read_values(dataset: Dataset, tag: BaseTag, scope: Scope) -> Values:
    """Read an element's values without changing the data set.

    Args:
        scope: the scope of ``dataset``, from :meth:`Scope.of`.

    Returns:
        The values; VR UN with the bytes where they do not fit the VR.
    """
    item = dataset.get_item(tag, keep_deferred=True)  # without it, pydicom converts an empty element
    if isinstance(item, RawDataElement) and item.value is None and item.length:
        item = dataset.get_item(tag)
    if isinstance(item, RawDataElement):
        vr = _stored_vr(item, dataset, scope)
        try:
            return _from_bytes(vr, item, scope)
        except Exception:  # pydicom raises arbitrary exceptions on damaged sequences; the bytes are kept
            return Values("UN", Kind.BINARY, item.value or b"")
    little = dataset.original_encoding[1] is not False  # pydicom leaves the bytes of OW and the like as they were read
    return _from_element(item, _settled(str(item.VR), scope), scope, little=little)


def length_of(values: Values) -> int:
    """Return the length of the values in bytes or, for text, in characters."""
    if values.kind is Kind.BINARY:
        return len(values.content)
    if values.kind is Kind.NUMBERS:
        return len(values.content) * _NUMBER_SIZES.get(values.vr, 1)
    if values.kind is Kind.ITEMS:
        return 0
    return sum(len(value or "") for value in values.content)


def encode_numbers(vr: str, numbers: Iterable[Any]) -> bytes:
    """Encode numbers as little-endian binary.

    Raises:
        struct.error: if one is out of the range of the VR, or no number.
        OverflowError: if one is too large for FL.
    """
    values = list(numbers)
    return struct.pack(f"<{len(values)}{NUMBER_FORMATS[vr]}", *values)


def little_endian(content: bytes, vr: str, *, stored_little: bool) -> bytes:
    """Return binary values in little-endian byte order."""
    unit = BINARY_UNITS.get(vr, 1)
    if stored_little or unit == 1:
        return content
    whole = len(content) // unit * unit
    swapped = bytearray(whole)
    for byte in range(unit):
        swapped[byte::unit] = content[unit - 1 - byte : whole : unit]
    return bytes(swapped) + content[whole:]


def finite_number(text: str, vr: str) -> int | float | str:
    """Return the number of a Decimal String or Integer String; the text itself if it is none."""
    try:
        if "_" in text:  # Python's digit grouping is not DICOM's
            return text
        number: int | float = int(text) if vr == "IS" else float(text)
    except ValueError:
        return _whole(text) if vr == "IS" else text
    return number if math.isfinite(number) else text


def _whole(text: str) -> int | str:
    """Return an Integer String written with a decimal point, such as "1.0"; the text of any other."""
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else text


def _stored_vr(item: RawDataElement, dataset: Dataset, scope: Scope) -> str:
    vr = item.VR
    if vr in VRS and vr != "UN":
        return vr
    if vr is None or (vr == "UN" and item.is_little_endian):
        vr = _known_vr(item.tag, dataset) or "UN"
    return _settled(vr, scope)


def _settled(vr: str, scope: Scope) -> str:
    """Settle a VR that the dictionary leaves open."""
    vr = _AMBIGUOUS.get(vr, vr)
    if vr == "US or SS":
        return "SS" if scope.signed else "US"
    return vr if vr in VRS else "UN"


def _known_vr(tag: BaseTag, dataset: Dataset) -> str | None:
    if tag.is_private_creator:
        return "LO"
    if not tag.is_private:
        return _public_vr(tag)
    creator = dataset.get_item(Tag(tag.group, tag.element >> 8))
    if creator is None or creator.value is None:
        return None
    name = creator.value.decode("latin-1") if isinstance(creator.value, bytes) else str(creator.value)
    return _private_vr(tag, name.strip(" \0"))


@lru_cache(maxsize=16_384)
def _public_vr(tag: BaseTag) -> str | None:
    try:
        return str(dictionary_VR(tag))
    except KeyError:
        return None


@lru_cache(maxsize=16_384)
def _private_vr(tag: BaseTag, creator: str) -> str | None:
    try:
        return str(private_dictionary_VR(tag, creator))
    except KeyError:
        return None


def _from_bytes(vr: str, item: RawDataElement, scope: Scope) -> Values:
    content = item.value or b""
    if vr in TEXT_VRS:
        return Values(vr, Kind.TEXTS, split_text(decode_text(content, scope, _VALUE_DELIMITERS), vr))
    if vr in NUMBER_TEXT_VRS:
        return Values(vr, Kind.NUMBERS, _numbers_of(content.decode("latin-1"), vr))
    if vr in NUMBER_FORMATS:
        order = "<" if item.is_little_endian else ">"
        numbers = struct.unpack(f"{order}{len(content) // _NUMBER_SIZES[vr]}{NUMBER_FORMATS[vr]}", content)
        return Values(vr, Kind.NUMBERS, list(numbers))
    if vr == "PN":
        return Values(vr, Kind.NAMES, _names_of(decode_text(content, scope, _NAME_DELIMITERS)))
    if vr == "AT":
        return Values(vr, Kind.TEXTS, _tags_of(content, little=item.is_little_endian))
    if vr == "SQ":
        return Values(vr, Kind.ITEMS, _items_of(item, scope))
    return Values(vr, Kind.BINARY, little_endian(content, vr, stored_little=item.is_little_endian))


def _items_of(item: RawDataElement, scope: Scope) -> list[Dataset]:
    implicit = item.is_implicit_VR or item.VR == "UN"  # PS3.5 section 6.2.2: a sequence in UN is implicit VR
    return list(convert_SQ(item.value or b"", implicit, item.is_little_endian, list(scope.encodings)))


def _from_element(item: DataElement, vr: str, scope: Scope, *, little: bool) -> Values:
    value = item.value
    if vr == "SQ":
        return Values(vr, Kind.ITEMS, list(value or ()))
    if vr in BINARY_UNITS:
        content = value if isinstance(value, bytes) else b"" if value in (None, "") else bytes(value)
        return Values(vr, Kind.BINARY, little_endian(content, vr, stored_little=little))
    if isinstance(value, bytes):  # not converted, for instance an ambiguous VR
        return _from_bytes(vr, RawDataElement(item.tag, vr, len(value), value, 0, False, little), scope)
    values = _as_list(value)
    if vr in NUMBER_FORMATS:
        return Values(vr, Kind.NUMBERS, values)
    texts = [_original(value, scope) for value in values]
    if vr in NUMBER_TEXT_VRS:
        numbers = [None if not text.strip() else finite_number(text.strip(), vr) for text in texts]
        return Values(vr, Kind.NUMBERS, numbers)
    if vr == "AT":
        return Values(vr, Kind.TEXTS, [f"{int(value):08X}" for value in values])
    if texts == [""]:
        return Values(vr, Kind.TEXTS, [])
    if vr == "PN":
        return Values(vr, Kind.NAMES, texts)
    return Values(vr, Kind.TEXTS, [text or None for text in texts])


def _as_list(value: Any) -> list[Any]:
    if value is None or (isinstance(value, str) and not value):
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _original(value: Any, scope: Scope) -> str:
    if isinstance(value, bytes):
        return decode_text(value, scope, _VALUE_DELIMITERS)
    original = getattr(value, "original_string", None)
    if isinstance(original, str):
        return original
    return "" if value is None else str(value)


def decode_text(content: bytes, scope: Scope, delimiters: Iterable[int] = _VALUE_DELIMITERS) -> str:
    """Decode text in the data set's character sets (PS3.5 section 6.1.2.5), before it is split into values.

    Splitting comes second: the second byte of a GB 18030, Shift JIS or JIS X 0208 character may equal a backslash or
    an equals sign. UTF-8 that is not declared as such is recognised; other undecodable bytes become U+FFFD.
    """
    if _ESCAPE not in content:
        if content.isascii():
            return content.decode("ascii")
        codecs = (scope.encodings[0], "utf-8") if scope.declared else ("utf-8", scope.encodings[0])
        for codec in codecs:
            try:
                return content.decode(codec)
            except (UnicodeDecodeError, LookupError):
                continue
        return content.decode(scope.encodings[0], "replace")
    return decode_bytes(content, scope.encodings, set(delimiters))


def split_text(text: str, vr: str) -> list[str | None]:
    """Split text into values without padding; None stands for an empty one."""
    text = text.rstrip(" \0")
    if not text:
        return []
    if vr in WHOLE_TEXT_VRS:
        return [text]
    if vr in _SPACES_INSIGNIFICANT:
        return [value.strip(" \0") or None for value in text.split("\\")]
    return [value.rstrip(" \0") or None for value in text.split("\\")]


def _numbers_of(text: str, vr: str) -> list[int | float | str | None]:
    return [None if value is None else finite_number(value, vr) for value in split_text(text, vr)]


def _names_of(text: str) -> list[str]:
    return ["" if value is None else value for value in split_text(text, "PN")]


def _tags_of(content: bytes, *, little: bool) -> list[str]:
    words = struct.unpack(f"{'<' if little else '>'}{len(content) // 4 * 2}H", content)
    return [f"{words[index]:04X}{words[index + 1]:04X}" for index in range(0, len(words), 2)]


def _characters(item: DataElement | RawDataElement) -> str:
    value = item.value
    if isinstance(value, bytes):
        return value.decode("latin-1").rstrip(" \0")
    return "\\".join("" if part is None else str(part) for part in _as_list(value))


@lru_cache(maxsize=256)
def _encodings(characters: str) -> tuple[str, ...]:
    return tuple(convert_encodings([part.strip() for part in characters.split("\\")]))


def _is_one(item: DataElement | RawDataElement) -> bool:
    value = item.value
    if isinstance(value, bytes) and isinstance(item, RawDataElement):
        return len(value) == 2 and int.from_bytes(value, "little" if item.is_little_endian else "big") == 1
    return bool(value == 1)

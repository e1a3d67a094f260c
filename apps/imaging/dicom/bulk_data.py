"""Bulk data of the JSON and XML models: which values go by URI, and from a URI's path back to the bytes."""

from __future__ import annotations

import re

from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_sequence
from pydicom.tag import BaseTag, Tag

from apps.imaging.dicom.element_values import Kind, Scope, Values, encode_numbers, length_of, read_values
from apps.imaging.dicom.parser import PIXEL_TAGS

BULK_THRESHOLD = 65_536
MAX_DEPTH = 64
"""Nested sequences that a model shows; a deeper one goes by URI. No information object of PS3.3 comes near it."""
_BULK_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN", "LT", "ST", "UC", "UR", "UT"})
_LOOKUP_TABLES = frozenset(
    {0x00281201, 0x00281202, 0x00281203, 0x00281204, 0x00281221, 0x00281222, 0x00281223, 0x00281224, 0x00283006}
)
"""Palette (PS3.3 section C.7.6.3.1.6), segmented palette and LUT Data: large even where their VR is US or SS."""
_TAG = re.compile("[0-9A-Fa-f]{8}")
_ITEM = re.compile("[0-9]{1,9}")


class NoSuchBulkData(LookupError):
    """A path of tags and item numbers that leads to no value of the data set."""


class NestingTooDeep(ValueError):
    """Sequences nested so deeply that they cannot be encoded."""


def goes_by_uri(tag: int, values: Values, threshold: int) -> bool:
    """Return whether a value is sent by BulkDataURI: pixels always, long binary and text above the threshold.

    Args:
        threshold: the largest number of bytes, of text the largest number of characters, that stays inline.
    """
    if tag in PIXEL_TAGS:
        return True
    return (values.vr in _BULK_VRS or tag in _LOOKUP_TABLES) and length_of(values) > threshold


def resolve_bulk_path(dataset: Dataset, path: str) -> bytes:
    """Return the bytes of a bulk data path such as ``00283010/0/00283006``.

    Args:
        path: tags, and between them item numbers from 0.

    Returns:
        Binary in little-endian byte order (PS3.18 section 8.7.3.3.2), text in UTF-8 as the model's Specific Character
        Set says, a sequence encoded in Explicit VR Little Endian. Encapsulated pixel data as stored, with their items.

    Raises:
        NoSuchBulkData: if the path is malformed or leads nowhere.
        NestingTooDeep: if the value is a sequence that cannot be encoded.
    """
    steps = path.strip("/").split("/")
    if len(steps) % 2 == 0 or not all(_TAG.fullmatch(step) for step in steps[::2]):
        raise NoSuchBulkData(path)
    scope = Scope().of(dataset)
    for tag, number in zip(steps[:-1:2], steps[1::2], strict=True):
        dataset = _item(dataset, Tag(int(tag, 16)), number, scope, path)
        scope = scope.of(dataset)
    last = Tag(int(steps[-1], 16))
    if last not in dataset:
        raise NoSuchBulkData(path)
    return encoded_values(read_values(dataset, last, scope))


def _item(dataset: Dataset, tag: BaseTag, number: str, scope: Scope, path: str) -> Dataset:
    if tag not in dataset or not _ITEM.fullmatch(number):
        raise NoSuchBulkData(path)
    values = read_values(dataset, tag, scope)
    if values.kind is not Kind.ITEMS or int(number) >= len(values.content):
        raise NoSuchBulkData(path)
    item: Dataset = values.content[int(number)]
    return item


def encoded_values(values: Values) -> bytes:
    """Return values as bulk data bytes, see :func:`resolve_bulk_path`."""
    if values.kind is Kind.BINARY:
        return bytes(values.content)
    if values.kind is Kind.ITEMS:
        return _encoded_items(values.content)
    if values.kind is Kind.NUMBERS and values.vr not in ("DS", "IS"):
        return encode_numbers(values.vr, values.content)
    if values.vr == "AT":
        return b"".join(_tag_bytes(text) for text in values.content)
    return "\\".join("" if value is None else str(value) for value in values.content).encode("utf-8", "replace")


def _tag_bytes(text: str) -> bytes:
    tag = int(text, 16)
    return (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")


def _encoded_items(items: list[Dataset]) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = False, True
    owner = Dataset()
    owner.add_new(0x00081140, "SQ", items)
    try:
        write_sequence(buffer, owner[0x00081140], ["utf-8"])
    except RecursionError as error:
        raise NestingTooDeep("the sequence is nested too deeply to be encoded") from error
    return buffer.getvalue()

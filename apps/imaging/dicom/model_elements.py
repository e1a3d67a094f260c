"""Raw elements from the values of a JSON or XML model, in Explicit VR Little Endian with text in UTF-8."""

from __future__ import annotations

import math
import re
import struct
from typing import Any

from pydicom import DataElement, Dataset
from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import format_number_as_ds

from apps.imaging.dicom.element_values import (
    NUMBER_FORMATS,
    SPECIFIC_CHARACTER_SET,
    UTF_8,
    VRS,
    WHOLE_TEXT_VRS,
    encode_numbers,
)
from apps.imaging.dicom.parser import PIXEL_TAGS

_TAG = re.compile("[0-9A-Fa-f]{8}")
_MAX_DS = 16
"""Characters of a Decimal String, PS3.5 section 6.2."""
_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "inf": math.inf, "-inf": -math.inf}


class InvalidModel(ValueError):
    """JSON or XML that is no valid model of a data set: a reason code and the attribute's path, no patient data."""

    def __init__(self, code: str, path: str) -> None:
        super().__init__(f"{code} at {path}" if path else code)
        self.code, self.path = code, path


def new_dataset() -> Dataset:
    """Return an empty data set in Explicit VR Little Endian, UTF-8, so that pydicom writes its elements as they are."""
    encodings = convert_encodings(UTF_8)
    dataset = Dataset(parent_encoding=encodings)
    dataset.set_original_encoding(False, True, encodings)
    return dataset


def tag_of(name: str, path: str) -> BaseTag:
    """Return the tag of eight hexadecimal digits.

    Raises:
        InvalidModel: ``bad_tag``.
    """
    if not _TAG.fullmatch(name):
        raise InvalidModel("bad_tag", path)
    return Tag(int(name, 16))


def vr_of(vr: Any, tag: BaseTag, path: str) -> str:
    """Return the attribute's VR, from the dictionary if the model has none.

    Raises:
        InvalidModel: ``bad_vr``, ``no_vr``.
    """
    if vr is None:
        try:
            vr = dictionary_VR(tag)
        except KeyError as error:
            raise InvalidModel("no_vr", path) from error
    if not isinstance(vr, str) or vr not in VRS:
        raise InvalidModel("bad_vr", path)
    return vr


def add_bytes(target: Dataset, tag: BaseTag, vr: str, content: bytes) -> None:
    """Add an element with its value as encoded, padded to even length."""
    encapsulated = tag in PIXEL_TAGS and content[:4] == b"\xfe\xff\x00\xe0"
    padding = b"\0" if vr in ("UI", "OB", "UN") else b" "
    if len(content) % 2:
        content += padding
    length = 0xFFFFFFFF if encapsulated else len(content)
    # Assigning to the data set would convert a private element, and refuse one that is invalid.
    target._dict[tag] = RawDataElement(tag, vr, length, content, 0, False, True)


def add_items(target: Dataset, tag: BaseTag, count: int) -> list[Dataset]:
    """Add a sequence of empty items and return these."""
    items = [new_dataset() for _ in range(count)]
    target[tag] = DataElement(tag, "SQ", Sequence(items))
    return items


def add_values(target: Dataset, tag: BaseTag, vr: str, values: list[Any], path: str) -> None:
    """Add an element from its values: text, numbers, None where one is empty.

    Raises:
        InvalidModel: ``bad_number``, ``bad_text``, ``bad_tag``, ``backslash_in_value``.
    """
    if vr in NUMBER_FORMATS:
        content = _numbers(vr, values, path)
    elif vr == "AT":
        content = b"".join(_tag_bytes(value, path) for value in values)
    else:
        content = _text(vr, values, path)
    add_bytes(target, tag, vr, content)


def _numbers(vr: str, values: list[Any], path: str) -> bytes:
    convert = _float if vr in ("FL", "FD") else _integer
    try:
        return encode_numbers(vr, [convert(value) for value in values])
    except (struct.error, OverflowError, ValueError, TypeError) as error:
        raise InvalidModel("bad_number", path) from error


def _float(value: Any) -> float:
    if value is None:  # as dcm4che writes NaN
        return math.nan
    if isinstance(value, str) and value in _FLOATS:
        return _FLOATS[value]
    if isinstance(value, bool):
        raise ValueError(value)
    return float(value)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError(value)
    return int(value)


def _tag_bytes(value: Any, path: str) -> bytes:
    if not isinstance(value, str):
        raise InvalidModel("bad_tag", path)
    tag = tag_of(value, path)
    return struct.pack("<HH", tag.group, tag.element)


def _text(vr: str, values: list[Any], path: str) -> bytes:
    if vr in WHOLE_TEXT_VRS and len(values) > 1:
        raise InvalidModel("bad_text", path)
    texts = [_one_text(vr, value, path) for value in values]
    if vr not in WHOLE_TEXT_VRS and any("\\" in text for text in texts):
        raise InvalidModel("backslash_in_value", path)
    return "\\".join(texts).encode("utf-8", "replace")


def _one_text(vr: str, value: Any, path: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if vr not in ("DS", "IS") or isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidModel("bad_text", path)
    try:
        if vr == "IS":
            return str(_integer(value))
        text = repr(value)
        return text if len(text) <= _MAX_DS else format_number_as_ds(value)
    except ValueError as error:
        raise InvalidModel("bad_number", path) from error


def declare_utf_8(dataset: Dataset) -> Dataset:
    """Set Specific Character Set, here and in items that have one, to UTF-8, which the elements are in."""
    pending = [dataset]
    while pending:
        current = pending.pop()
        if current is dataset or SPECIFIC_CHARACTER_SET in current:
            add_bytes(current, Tag(SPECIFIC_CHARACTER_SET), "CS", UTF_8.encode())
        for tag in list(current.keys()):  # iterating over the data set would convert the elements
            item = current.get_item(tag)
            if isinstance(item, DataElement) and item.VR == "SQ":
                pending += list(item.value)
    return dataset

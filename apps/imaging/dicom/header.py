"""Parsing the bytes of a header to a data set, as pydicom does but without its cost per element.

Elements become pydicom's raw elements, whose values are decoded when they are read. Sequences of undefined length are
left to pydicom.
"""

from __future__ import annotations

import io
import struct
from typing import Any

from pydicom import Dataset
from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import DataElement, RawDataElement, empty_value_for_VR
from pydicom.dataset import FileMetaDataset
from pydicom.filereader import data_element_generator
from pydicom.tag import BaseTag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR

UNDEFINED_LENGTH = 0xFFFFFFFF
_VRS = {vr.value.encode(): (vr.value, vr in EXPLICIT_VR_LENGTH_32) for vr in VR if len(vr.value) == 2}
_EMPTY = {name: empty_value_for_VR(name, raw=True) for name, _long in _VRS.values()} | {
    None: empty_value_for_VR(None, raw=True)
}


def read_header(content: bytes, dataset: int, *, prefix: int, implicit: bool, little: bool) -> Dataset:
    """Parse a header.

    Args:
        content: prefix, meta information and elements, one after another.
        dataset: offset of the first element after the meta information.
        prefix: length of the prefix.

    Returns:
        The data set with ``file_meta``.
    """
    result = read_elements(content, dataset, len(content), implicit, little)
    result.file_meta = FileMetaDataset(read_elements(content, prefix, dataset, False, True))
    return result


def read_elements(content: bytes, position: int, end: int, implicit: bool, little: bool) -> Dataset:
    """Parse the elements from ``position`` to ``end``."""
    order = "<" if little else ">"
    explicit_head, plain_head = struct.Struct(order + "HH2sH").unpack_from, struct.Struct(order + "HHL").unpack_from
    long_length = struct.Struct(order + "L").unpack_from
    elements: dict[BaseTag, RawDataElement | DataElement] = {}
    encodings: Any = default_encoding
    while position + 8 <= end:
        start, vr = position, None
        known = None
        if not implicit:
            group, number, code, length = explicit_head(content, position)
            known = _VRS.get(code)
        if known is not None:
            vr, is_long = known
            position += 8
            if is_long:
                (length,) = long_length(content, position)
                position += 4
        elif implicit or not b"AA" <= code <= b"ZZ":
            group, number, length = plain_head(content, position)
            position += 8
        else:  # a VR of a later edition: long form (PS3.5 section 7.1.2)
            (length,) = long_length(content, position + 8)
            vr, position = "UN", position + 12
        if length == UNDEFINED_LENGTH:
            element, position = _by_pydicom(content, start, end, implicit, little, encodings)
            elements[element.tag] = element
            continue
        tag = BaseTag(group << 16 | number)
        value = content[position : position + length] if length else _EMPTY[vr]
        elements[tag] = RawDataElement(tag, vr, length, value, position, implicit, little)  # type: ignore[arg-type]
        if tag == 0x00080005:
            encodings = convert_encodings((value or b"").decode("latin-1").rstrip(" \0").split("\\"))
        position += length
    result = Dataset(elements)
    result.set_original_encoding(implicit, little, encodings)
    return result


def _by_pydicom(
    content: bytes, start: int, end: int, implicit: bool, little: bool, encodings: Any
) -> tuple[RawDataElement | DataElement, int]:
    buffer = io.BytesIO(content[start:end])
    element = next(data_element_generator(buffer, implicit, little, encoding=encodings))
    return element, start + buffer.tell()

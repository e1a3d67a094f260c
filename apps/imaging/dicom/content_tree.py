"""The content tree of a structured report as a flat list to read (PS3.3 section C.17.3, PS3.3 table C.17.3-7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableSequence, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom import Dataset
from pydicom.sequence import Sequence as DicomSequence

MAX_DEPTH = 24
MAX_ITEMS = 5_000
MAX_TEXT = 20_000


@dataclass(frozen=True)
class Code:
    """A coded concept: its meaning, and value and scheme to look it up (PS3.3 section 8.8)."""

    meaning: str
    value: str = ""
    scheme: str = ""


@dataclass(frozen=True)
class Item:
    """A content item.

    Attributes:
        depth: 0 for the children of the root.
        value_type: such as ``TEXT`` or ``NUM``; empty where the tree refers to an item elsewhere in it.
        concept: its name; None if it has none.
        value: as text, without the unit; empty for a container.
        code: the coded value of a CODE item, or the qualifier of a NUM item without a number.
        unit: of a NUM item.
        reference: SOP Class UID and SOP Instance UID of what it refers to.
    """

    depth: int
    value_type: str
    concept: Code | None
    value: str = ""
    code: Code | None = None
    unit: Code | None = None
    reference: tuple[str, str] | None = None


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes:
        flags: Completion Flag and Verification Flag as stored (PS3.3 section C.17.2); empty where missing.
        verified_by: names of the verifying observers.
        complete: whether all of the tree is in ``items``: hostile or huge ones are cut.
    """

    title: Code | None
    flags: tuple[str, str]
    verified_by: tuple[str, ...]
    content_date: str
    items: tuple[Item, ...]
    complete: bool


def read_document(header: Dataset) -> Document:
    """Read the report of a header; what is missing or malformed in it is left out."""
    items: list[Item] = []
    complete = True
    waiting = [(0, _children(header))]
    while waiting:
        depth, children = waiting[-1]
        child = next(children, None)
        if child is None:
            waiting.pop()
        elif len(items) >= MAX_ITEMS:
            complete = False
            break
        else:
            items.append(_item(child, depth))
            if _items(child, "ContentSequence"):
                if depth + 1 < MAX_DEPTH:
                    waiting.append((depth + 1, _children(child)))
                else:
                    complete = False
    observers = (_text(observer, "VerifyingObserverName") for observer in _items(header, "VerifyingObserverSequence"))
    return Document(
        _code(header, "ConceptNameCodeSequence"),
        (_text(header, "CompletionFlag"), _text(header, "VerificationFlag")),
        tuple(filter(None, observers)),
        _text(header, "ContentDate"),
        tuple(items),
        complete,
    )


def _children(dataset: Dataset) -> Iterator[Dataset]:
    return iter(_items(dataset, "ContentSequence"))


def _item(item: Dataset, depth: int) -> Item:
    value_type = _text(item, "ValueType").upper()
    concept = _code(item, "ConceptNameCodeSequence")
    read = _READERS.get(value_type)
    more: dict[str, Any] = read(item) if read else {}
    return Item(depth, value_type, concept, **more)


def _number(item: Dataset) -> dict[str, Any]:
    measured = _items(item, "MeasuredValueSequence")
    value = _text(measured[0], "NumericValue") if measured else ""
    unit = _code(measured[0], "MeasurementUnitsCodeSequence") if measured else None
    return {"value": value, "unit": unit, "code": _code(item, "NumericValueQualifierCodeSequence")}


def _reference(item: Dataset) -> dict[str, Any]:
    referenced = _items(item, "ReferencedSOPSequence")
    if not referenced:
        return {}
    frames = _text(referenced[0], "ReferencedFrameNumber")
    uids = _text(referenced[0], "ReferencedSOPClassUID"), _text(referenced[0], "ReferencedSOPInstanceUID")
    return {"reference": uids, "value": frames}


def _coordinates(item: Dataset) -> dict[str, Any]:
    return {"value": " ".join(filter(None, [_text(item, "GraphicType"), _text(item, "GraphicData")]))}


def _times(item: Dataset) -> dict[str, Any]:
    kinds = ("ReferencedSamplePositions", "ReferencedTimeOffsets", "ReferencedDateTime")
    return {"value": " ".join(filter(None, [_text(item, "TemporalRangeType"), *(_text(item, kind) for kind in kinds)]))}


def _plain(keyword: str) -> Callable[[Dataset], dict[str, Any]]:
    return lambda item: {"value": _text(item, keyword)}


_READERS: dict[str, Callable[[Dataset], dict[str, Any]]] = {
    "TEXT": _plain("TextValue"),
    "DATE": _plain("Date"),
    "TIME": _plain("Time"),
    "DATETIME": _plain("DateTime"),
    "PNAME": _plain("PersonName"),
    "UIDREF": _plain("UID"),
    "CODE": lambda item: {"code": _code(item, "ConceptCodeSequence")},
    "NUM": _number,
    "IMAGE": _reference,
    "COMPOSITE": _reference,
    "WAVEFORM": _reference,
    "SCOORD": _coordinates,
    "SCOORD3D": _coordinates,
    "TCOORD": _times,
}


def _code(dataset: Dataset, keyword: str) -> Code | None:
    coded = _items(dataset, keyword)
    if not coded:
        return None
    value = next(filter(None, (_text(coded[0], name) for name in ("CodeValue", "LongCodeValue", "URNCodeValue"))), "")
    meaning, scheme = _text(coded[0], "CodeMeaning"), _text(coded[0], "CodingSchemeDesignator")
    return Code(meaning or value, value, scheme) if meaning or value else None


def _items(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    value = _value(dataset, keyword)
    return value if isinstance(value, DicomSequence) else ()


def _text(dataset: Dataset, keyword: str) -> str:
    value = _value(dataset, keyword)
    if value is None or isinstance(value, bytes):
        return ""
    text = "\\".join(map(str, value)) if isinstance(value, MutableSequence) else str(value)
    return text.replace("\0", "").strip()[:MAX_TEXT]


def _value(dataset: Dataset, keyword: str) -> Any:
    try:
        return dataset.get(keyword)
    except Exception:  # pydicom raises arbitrary exceptions on values that contradict their VR
        return None

"""Comparison of two data sets, element by element, for a reader who has to choose between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableSequence
from dataclasses import dataclass

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_description
from pydicom.tag import BaseTag

MAX_DEPTH = 16
"""Sequences nested more deeply are compared as a whole, by their number of items."""
MAX_ELEMENTS = 20_000
MAX_TEXT = 160
_ITEM = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True)
class Difference:
    """An element whose value differs; None stands for an element that one of the two lacks.

    Attributes:
        tag: path of tags and item numbers from 1, such as ``(0040,A730)[2] (0040,A160)``.
    """

    tag: str
    name: str
    stored: str | None
    received: str | None


@dataclass(frozen=True)
class Comparison:
    """The first differences, and whether everything was compared."""

    differences: tuple[Difference, ...]
    complete: bool


def compare(
    stored: Dataset,
    received: Dataset,
    *,
    large: tuple[Mapping[int, str], Mapping[int, str]] = ({}, {}),
    most: int = 200,
) -> Comparison:
    """Compare two headers; meta information, group lengths and padding are left out (PS3.10 section 7.1).

    Args:
        large: digests of the values that are not in the headers, by tag.
        most: the largest number of differences that are returned.
    """
    (left, whole), (right, also_whole) = (
        _flat(dataset, {_tag(tag): text for tag, text in values.items()})
        for dataset, values in zip((stored, received), large, strict=True)
    )
    complete = whole and also_whole
    found = [
        Difference(path, _name(path), left.get(path), right.get(path))
        for path in sorted(left.keys() | right.keys(), key=_position)
        if left.get(path) != right.get(path)
    ]
    shortened = [Difference(item.tag, item.name, *_shortened(item.stored, item.received)) for item in found[:most]]
    return Comparison(tuple(shortened), complete and len(found) <= most)


def _flat(dataset: Dataset, large: dict[str, str]) -> tuple[dict[str, str], bool]:
    """Return the values by their paths, and whether these are all."""
    values, whole = large, True
    for path, text, has_all in _walk(dataset, "", 1):
        values[path] = text
        whole = whole and has_all
        if len(values) > MAX_ELEMENTS:
            return values, False
    return values, whole


def _position(path: str) -> str:
    return _ITEM.sub(lambda match: f"[{int(match[1]):09d}]", path)


def _tag(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _walk(dataset: Dataset, prefix: str, depth: int) -> Iterator[tuple[str, str, bool]]:
    for tag in sorted(dataset.keys()):
        if tag.element == 0 or tag in (0xFFFCFFFC, 0x00080001):
            continue
        path = f"{prefix}{_tag(tag)}"
        element = _read(dataset, tag)
        if element is None:
            yield path, "?", False
        elif element.VR == "SQ" and depth < MAX_DEPTH:
            yield path, f"[{len(element.value)}]", True
            for number, item in enumerate(element.value, start=1):
                yield from _walk(item, f"{path}[{number}] ", depth + 1)
        else:
            yield path, _text(element), element.VR != "SQ" or not element.value


def _read(dataset: Dataset, tag: BaseTag) -> DataElement | None:
    try:
        return dataset[tag]
    except Exception:  # pydicom raises arbitrary exceptions on values that contradict their VR
        return None


def _text(element: DataElement) -> str:
    value = element.value
    if element.VR == "SQ":
        return f"[{len(value)}]"
    if isinstance(value, bytes):
        return value.rstrip(b"\0").hex(" ")
    if isinstance(value, (MutableSequence, tuple)):
        return "\\".join(str(part) for part in value)
    return "" if value is None else str(value).strip(" \0")


def _name(path: str) -> str:
    tag = path.rsplit(" ", 1)[-1]
    try:
        return dictionary_description(int(tag[1:5] + tag[6:10], 16))
    except KeyError:
        return ""


def _shortened(left: str | None, right: str | None) -> tuple[str | None, str | None]:
    """Shorten two long texts to what surrounds their first difference."""
    start = 0
    if left is not None and right is not None and max(len(left), len(right)) > MAX_TEXT:
        same = next(
            (n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
        )
        start = max(0, same - MAX_TEXT // 4)
    return _cut(left, start), _cut(right, start)


def _cut(text: str | None, start: int) -> str | None:
    if text is None:
        return None
    cut = text[start : start + MAX_TEXT]
    return ("… " if start else "") + cut + (" …" if start + MAX_TEXT < len(text) else "")

"""The Native DICOM Model (PS3.19 section A.1) of a data set, both ways, as PS3.18 uses it for metadata."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape, quoteattr

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pydicom import Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.tag import BaseTag, Tag

from apps.imaging.dicom.bulk_data import BULK_THRESHOLD, MAX_DEPTH, NestingTooDeep, encoded_values, goes_by_uri
from apps.imaging.dicom.element_values import (
    SPECIFIC_CHARACTER_SET,
    UTF_8,
    Kind,
    Scope,
    Values,
    read_values,
    sorted_tags,
)
from apps.imaging.dicom.model_elements import (
    InvalidModel,
    add_bytes,
    add_items,
    add_values,
    declare_utf_8,
    new_dataset,
    tag_of,
    vr_of,
)

NAMESPACE = "http://dicom.nema.org/PS3.19/models/NativeDICOM"
_START = f'<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">'
_END = "</NativeDicomModel>"
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""
BulkUri = Callable[[str], str]


def to_xml(dataset: Dataset, *, bulk_uri: BulkUri | None = None, threshold: int = BULK_THRESHOLD) -> bytes:
    """Convert a data set to Native DICOM Model XML: every element but group lengths, private ones too.

    Arguments, bulk data and errors are those of :func:`~apps.imaging.dicom.json_model.to_json`. Text that XML cannot
    hold (control characters) and names with more components than the model has go as InlineBinary in UTF-8.
    """
    parts = [_START]
    walks = [_attributes(dataset, Scope(), "", 0, bulk_uri, threshold)]
    ends = [_END]
    while walks:
        step = next(walks[-1], None)
        if step is None:
            walks.pop()
            parts.append(ends.pop())
        elif isinstance(step, str):
            parts.append(step)
        else:
            item, scope, prefix, number, depth = step
            parts.append(f'<Item number="{number}">')
            ends.append("</Item>")
            walks.append(_attributes(item, scope, prefix, depth, bulk_uri, threshold))
    return "".join(parts).encode("utf-8", "replace")


Step = str | tuple[Dataset, Scope, str, int, int]


def _attributes(
    dataset: Dataset, outer: Scope, prefix: str, depth: int, bulk_uri: BulkUri | None, threshold: int
) -> Iterator[Step]:
    """Yield a data set's XML in pieces; an item is yielded for the caller to convert, not recursed into."""
    scope = outer.of(dataset)
    creators: dict[int, str] = {}
    if depth == 0 and SPECIFIC_CHARACTER_SET not in dataset:
        yield from _element(Tag(SPECIFIC_CHARACTER_SET), "CS", [_value(1, UTF_8)])
    for tag in sorted_tags(dataset):
        values = read_values(dataset, tag, scope)
        path = f"{prefix}{tag:08X}"
        too_deep = values.kind is Kind.ITEMS and depth >= MAX_DEPTH
        if tag.is_private_creator and values.kind is Kind.TEXTS and values.content:
            creators[tag] = values.content[0] or ""
        if tag == SPECIFIC_CHARACTER_SET:
            yield from _element(tag, "CS", [_value(1, UTF_8)])
        elif bulk_uri and (too_deep or goes_by_uri(tag, values, threshold)):
            yield from _element(tag, values.vr, [f"<BulkData uri={quoteattr(bulk_uri(path))}/>"], creators)
        elif too_deep:
            raise NestingTooDeep(f"sequences are nested deeper than {MAX_DEPTH}")
        elif values.kind is Kind.ITEMS:
            items = enumerate(values.content)
            steps: list[Step] = [(item, scope, f"{path}/{number}/", number + 1, depth + 1) for number, item in items]
            yield from _element(tag, "SQ", steps, creators)
        else:
            yield from _element(tag, values.vr, _content(values), creators)


def _element(
    tag: BaseTag, vr: str, content: Sequence[Step], creators: Mapping[int, str] | None = None
) -> Iterator[Step]:
    start = f'<DicomAttribute tag="{tag:08X}" vr="{vr}"{_naming(tag, creators or {})}'
    if not content:
        yield f"{start}/>"
        return
    yield f"{start}>"
    yield from content
    yield "</DicomAttribute>"


def _naming(tag: BaseTag, creators: Mapping[int, str]) -> str:
    if not tag.is_private:
        keyword = _keyword(tag)
        return f' keyword="{keyword}"' if keyword else ""
    creator = creators.get(tag & 0xFFFF0000 | tag.element >> 8, "")
    return f" privateCreator={quoteattr(creator)}" if creator and not _NOT_XML.search(creator) else ""


@lru_cache(maxsize=16_384)
def _keyword(tag: BaseTag) -> str:
    return keyword_for_tag(tag)


def _content(values: Values) -> list[str]:
    if values.kind is Kind.BINARY:
        return [_inline(values.content)] if values.content else []
    if values.kind is Kind.NAMES:
        if not all(_is_plain_name(name) for name in values.content):
            return [_inline(encoded_values(values))]
        return [_person(number, name) for number, name in enumerate(values.content, 1)]
    texts = ["" if value is None else str(value) for value in values.content]
    if any(_NOT_XML.search(text) for text in texts):
        return [_inline(encoded_values(values))]
    return [_value(number, text) for number, text in enumerate(texts, 1)]


def _inline(content: bytes) -> str:
    return f"<InlineBinary>{base64.b64encode(content).decode('ascii')}</InlineBinary>"


def _value(number: int, text: str) -> str:
    return f'<Value number="{number}">{_escaped(text)}</Value>' if text else f'<Value number="{number}"/>'


def _escaped(text: str) -> str:
    return escape(text, {"\r": "&#13;"})  # a parser turns a bare carriage return into a line feed


def _is_plain_name(name: str) -> bool:
    groups = name.split("=")
    return (
        len(groups) <= len(_GROUPS)
        and all(group.count("^") < len(_COMPONENTS) for group in groups)
        and not _NOT_XML.search(name)
    )


def _person(number: int, name: str) -> str:
    groups = []
    for group, text in zip(_GROUPS, name.split("="), strict=False):
        components = [
            f"<{component}>{_escaped(part)}</{component}>"
            for component, part in zip(_COMPONENTS, text.split("^"), strict=False)
        ]
        if text:
            groups.append(f"<{group}>{''.join(components)}</{group}>")
    return f'<PersonName number="{number}">{"".join(groups)}</PersonName>'


def from_xml(text: bytes, *, bulk: Callable[[str], bytes] | None = None) -> Dataset:
    """Convert Native DICOM Model XML to a data set of raw elements in Explicit VR Little Endian, text in UTF-8.

    Args:
        bulk: returns the bytes of a BulkData URI; it may raise LookupError.

    Raises:
        InvalidModel: with a code and the path of the attribute; ``not_xml`` also for a document type definition,
            which could refer to other files or expand without end.
    """
    try:
        root = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise InvalidModel("not_xml", "") from error
    if _name(root) != "NativeDicomModel":
        raise InvalidModel("not_a_native_dicom_model", "")
    result = new_dataset()
    pending: list[tuple[Element, Dataset, str, int]] = [(root, result, "", 0)]
    while pending:
        source, target, prefix, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise InvalidModel("nested_too_deeply", prefix.rstrip("/"))
        for attribute in source:
            path = prefix + attribute.get("tag", "")
            tag, vr = _identity(attribute, target, path)
            children = _children(attribute, path)
            if vr == "SQ" and not any(_name(child) == "BulkData" for child in children):
                items = add_items(target, tag, len(children))
                pending += [
                    (_item(child, path), items[number], f"{path}/{number}/", depth + 1)
                    for number, child in enumerate(children)
                ]
            else:
                _add(target, tag, vr, children, path, bulk)
    return declare_utf_8(result)


def _identity(attribute: Element, target: Dataset, path: str) -> tuple[BaseTag, str]:
    if _name(attribute) != "DicomAttribute":
        raise InvalidModel("not_a_dicom_attribute", path)
    tag = tag_of(attribute.get("tag", ""), path)
    if tag in target:
        raise InvalidModel("duplicate_name", path)
    return tag, vr_of(attribute.get("vr"), tag, path)


def _name(element: Element) -> str:
    """Return the local name; senders differ in whether they declare the namespace."""
    return element.tag.rpartition("}")[2]


def _children(attribute: Element, path: str) -> list[Element]:
    """Return the values in the order of their numbers, all of one kind; a number that is left out is empty."""
    children = list(attribute)
    if len({_name(child) for child in children}) > 1:
        raise InvalidModel("several_forms_of_value", path)
    if not children or _name(children[0]) in ("BulkData", "InlineBinary"):
        return children
    numbers = [_number(child, place, path) for place, child in enumerate(children, 1)]
    by_number = dict(zip(numbers, children, strict=True))
    if len(by_number) != len(children):
        raise InvalidModel("duplicate_number", path)
    if max(by_number) > 2 * len(children) + 64:  # a stray number must not ask for millions of empty values
        raise InvalidModel("bad_number", path)
    blank = Element(children[0].tag)
    return [by_number.get(number, blank) for number in range(1, max(by_number) + 1)]


def _number(child: Element, place: int, path: str) -> int:
    text = child.get("number", str(place))
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise InvalidModel("bad_number", path)
    return int(text)


def _item(child: Element, path: str) -> Element:
    if _name(child) != "Item":
        raise InvalidModel("not_an_item", path)
    return child


def _add(
    target: Dataset, tag: BaseTag, vr: str, children: list[Element], path: str, bulk: Callable[[str], bytes] | None
) -> None:
    form = _name(children[0]) if children else "Value"
    if form == "BulkData":
        add_bytes(target, tag, vr, _fetched(children, path, bulk))
    elif form == "InlineBinary":
        add_bytes(target, tag, vr, _decoded(children, path))
    elif form == "PersonName" and vr == "PN":
        add_values(target, tag, vr, [_joined(child) for child in children], path)
    elif not children:
        add_bytes(target, tag, vr, b"")
    elif form == "Value" and vr != "PN":
        add_values(target, tag, vr, [child.text or None for child in children], path)
    else:
        raise InvalidModel("bad_form_of_value", path)


def _joined(person: Element) -> str:
    groups = {_name(group): {_name(part): part.text or "" for part in group} for group in person}
    return "=".join(_carets(groups.get(group, {})) for group in _GROUPS).rstrip("=")


def _carets(components: dict[str, str]) -> str:
    """Join a group's components up to the last that is there, so that trailing delimiters are kept."""
    last = max((place for place, part in enumerate(_COMPONENTS, 1) if part in components), default=0)
    return "^".join(components.get(part, "") for part in _COMPONENTS[:last])


def _decoded(children: list[Element], path: str) -> bytes:
    try:
        return base64.b64decode("".join((children[0].text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidModel("not_base64", path) from error


def _fetched(children: list[Element], path: str, bulk: Callable[[str], bytes] | None) -> bytes:
    uri = children[0].get("uri") or children[0].get("uuid")
    if bulk is None or not uri or len(children) > 1:
        raise InvalidModel("bulk_data_missing", path)
    try:
        return bulk(uri)
    except LookupError as error:
        raise InvalidModel("bulk_data_missing", path) from error

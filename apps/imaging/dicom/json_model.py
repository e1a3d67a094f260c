"""The DICOM JSON Model (PS3.18 annex F) of a data set, both ways."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable
from typing import Any

from pydicom import Dataset
from pydicom.tag import BaseTag

from apps.imaging.dicom.bulk_data import BULK_THRESHOLD, MAX_DEPTH, NestingTooDeep, goes_by_uri
from apps.imaging.dicom.element_values import (
    BINARY_UNITS,
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

NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
JsonObject = dict[str, Any]


def to_json(
    dataset: Dataset, *, bulk_uri: Callable[[str], str] | None = None, threshold: int = BULK_THRESHOLD
) -> JsonObject:
    """Convert a data set to DICOM JSON: every element but group lengths, private ones too.

    Args:
        dataset: is not changed; elements as read from a file are decoded from their bytes.
        bulk_uri: returns the URI of a path of tags and item numbers, such as ``00283010/0/00283006``, that
            :func:`~apps.imaging.dicom.bulk_data.resolve_bulk_path` resolves; None keeps everything inline.
        threshold: values above this many bytes go by URI, see :func:`~apps.imaging.dicom.bulk_data.goes_by_uri`.

    Returns:
        Text in UTF-8, declared by Specific Character Set. Numbers as JSON numbers, a decimal or integer string that is
        no number as text; NaN and infinity, which JSON lacks, as "NaN", "Infinity" and "-Infinity" (as fo-dicom and
        Azure write them); what the VR cannot hold as UN.

    Raises:
        NestingTooDeep: if sequences are nested deeper than MAX_DEPTH and there is no ``bulk_uri`` for them.
    """
    result: JsonObject = {}
    pending: list[tuple[Dataset, Scope, str, JsonObject, int]] = [(dataset, Scope(), "", result, 0)]
    while pending:
        current, outer, prefix, target, depth = pending.pop()
        scope = outer.of(current)
        for tag in sorted_tags(current):
            values = read_values(current, tag, scope)
            name = f"{tag:08X}"
            too_deep = values.kind is Kind.ITEMS and depth >= MAX_DEPTH
            if bulk_uri and (too_deep or goes_by_uri(tag, values, threshold)):
                target[name] = {"vr": values.vr, "BulkDataURI": bulk_uri(prefix + name)}
            elif too_deep:
                raise NestingTooDeep(f"sequences are nested deeper than {MAX_DEPTH}")
            elif values.kind is Kind.ITEMS:
                items: list[JsonObject] = [{} for _ in values.content]
                target[name] = {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
                pending += [
                    (item, scope, f"{prefix}{name}/{number}/", items[number], depth + 1)
                    for number, item in enumerate(values.content)
                ]
            else:
                target[name] = _attribute(values)
        if f"{SPECIFIC_CHARACTER_SET:08X}" in target:
            target[f"{SPECIFIC_CHARACTER_SET:08X}"] = {"vr": "CS", "Value": [UTF_8]}
    if "00080005" in result:
        return result
    return dict(sorted({**result, "00080005": {"vr": "CS", "Value": [UTF_8]}}.items()))


def _attribute(values: Values) -> JsonObject:
    vr, kind, content = values
    if kind is Kind.BINARY:
        return {"vr": vr, "InlineBinary": base64.b64encode(content).decode("ascii")} if content else {"vr": vr}
    if not content:
        return {"vr": vr}
    if kind is Kind.NAMES:
        return {"vr": vr, "Value": [_name(name) for name in content]}
    if vr in ("FL", "FD"):
        return {"vr": vr, "Value": [_json_float(number) for number in content]}
    return {"vr": vr, "Value": content}


def _json_float(number: Any) -> Any:
    if not isinstance(number, float) or math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _name(name: str) -> JsonObject | None:
    groups = name.split("=", 2)
    return {group: text for group, text in zip(NAME_GROUPS, groups, strict=False) if text} or None


def load_json(text: bytes) -> Any:
    """Parse JSON text.

    Raises:
        InvalidModel: ``not_json``, ``duplicate_name``, ``nested_too_deeply``.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except InvalidModel:
        raise
    except RecursionError as error:
        raise InvalidModel("nested_too_deeply", "") from error
    except ValueError as error:
        raise InvalidModel("not_json", "") from error


def _unique(pairs: list[tuple[str, Any]]) -> JsonObject:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        raise InvalidModel("duplicate_name", next(name for name in names if names.count(name) > 1))
    return result


def from_json(model: Any, *, bulk: Callable[[str], bytes] | None = None) -> Dataset:
    """Convert DICOM JSON to a data set of raw elements in Explicit VR Little Endian, text in UTF-8.

    Values are encoded without pydicom's validation, so that what :func:`to_json` kept of an invalid value comes back.

    Args:
        model: parsed JSON, see :func:`load_json`.
        bulk: returns the bytes of a BulkDataURI; it may raise LookupError.

    Raises:
        InvalidModel: with a code and the path of the attribute.
    """
    result = new_dataset()
    pending: list[tuple[Any, Dataset, str, int]] = [(model, result, "", 0)]
    while pending:
        source, target, prefix, depth = pending.pop()
        if not isinstance(source, dict):
            raise InvalidModel("not_an_object", prefix.rstrip("/"))
        if depth > MAX_DEPTH:
            raise InvalidModel("nested_too_deeply", prefix.rstrip("/"))
        for name in sorted(source):
            path = prefix + name
            tag = tag_of(name, path)
            attribute = source[name]
            if tag in target:  # the same digits in capital and small letters
                raise InvalidModel("duplicate_name", path)
            if not isinstance(attribute, dict):
                raise InvalidModel("not_an_object", path)
            vr = vr_of(attribute.get("vr"), tag, path)
            if vr == "SQ" and "BulkDataURI" not in attribute:
                models = _list(attribute.get("Value"), path)
                items = add_items(target, tag, len(models))
                pending += [
                    ({} if model is None else model, items[number], f"{path}/{number}/", depth + 1)
                    for number, model in enumerate(models)
                ]
            else:
                _add(target, tag, vr, attribute, path, bulk)
    return declare_utf_8(result)


def _add(
    target: Dataset, tag: BaseTag, vr: str, attribute: JsonObject, path: str, bulk: Callable[[str], bytes] | None
) -> None:
    forms = [form for form in ("Value", "InlineBinary", "BulkDataURI") if attribute.get(form) is not None]
    if len(forms) > 1:
        raise InvalidModel("several_forms_of_value", path)
    if "BulkDataURI" in forms:
        add_bytes(target, tag, vr, _fetched(attribute["BulkDataURI"], path, bulk))
    elif "InlineBinary" in forms:
        add_bytes(target, tag, vr, _decoded(attribute["InlineBinary"], path))
    elif vr in BINARY_UNITS and forms:
        raise InvalidModel("binary_as_value", path)
    else:
        values = _list(attribute.get("Value"), path)
        add_values(target, tag, vr, [_joined(value, path) for value in values] if vr == "PN" else values, path)


def _list(value: Any, path: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidModel("value_not_an_array", path)
    return value


def _joined(name: Any, path: str) -> str:
    if name is None or isinstance(name, str):
        return name or ""
    if not isinstance(name, dict) or not all(isinstance(name.get(group) or "", str) for group in NAME_GROUPS):
        raise InvalidModel("not_a_person_name", path)
    return "=".join(name.get(group) or "" for group in NAME_GROUPS).rstrip("=")


def _decoded(text: Any, path: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise InvalidModel("not_base64", path) from error


def _fetched(uri: Any, path: str, bulk: Callable[[str], bytes] | None) -> bytes:
    if bulk is None or not isinstance(uri, str):
        raise InvalidModel("bulk_data_missing", path)
    try:
        return bulk(uri)
    except LookupError as error:
        raise InvalidModel("bulk_data_missing", path) from error

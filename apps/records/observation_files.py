"""Parsers for files of values: CSV, and FHIR R4/R5 Observations, single or in a Bundle."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from apps.terminology.loinc import Measure, by_name
from apps.terminology.units import UnknownUnit, convert

MAX_BYTES = 20 * 2**20
MAX_ROWS = 20_000
COLUMNS = ("time", "code", "value", "unit")
NAMES = {
    "time": ("time", "at", "datetime", "date", "timestamp", "时间", "日期"),
    "code": ("code", "loinc", "test", "name", "parameter", "项目", "代码", "名称"),
    "value": ("value", "result", "结果", "数值", "值"),
    "unit": ("unit", "units", "单位"),
}
LOINC = "http://loinc.org"
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


class InvalidInput(Exception):
    """A file or row that cannot be imported: a registered reason code and its parameters."""

    def __init__(self, code: str, **parameters: str | int | float) -> None:
        super().__init__(code)
        self.code, self.parameters = code, parameters


@dataclass(frozen=True)
class Row:
    """A row of the file, with its value or the reason why it has none."""

    number: int
    cells: dict[str, str]
    measure: Measure | None = None
    at: datetime | None = None
    value: float | None = None
    problem: InvalidInput | None = None


def read_file(content: bytes, *, now: datetime, zone: Any) -> tuple[str, list[Row]]:
    """Return the format of a file (``csv`` or ``fhir``) and its rows.

    Args:
        zone: time zone of times without one.

    Raises:
        Unusable: if the file as a whole cannot be read.
    """
    if len(content) > MAX_BYTES:
        raise InvalidInput("values_too_large", most=MAX_BYTES // 2**20)
    if b"\0" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidInput("values_binary")
    text = decode(content)
    kind = "fhir" if text.lstrip()[:1] in ("{", "[") else "csv"
    numbered_rows = list(_fhir(text) if kind == "fhir" else _csv(text))
    if not numbered_rows:
        raise InvalidInput("values_empty")
    if len(numbered_rows) > MAX_ROWS:
        raise InvalidInput("values_too_many", most=MAX_ROWS)
    return kind, [parse_row(number, row, now=now, zone=zone) for number, row in numbered_rows]


def decode(content: bytes) -> str:
    """Decode UTF-8, UTF-16 with a byte order mark, GB 18030 or, as a last resort, Latin-1."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def parse_row(number: int, cells: dict[str, str], *, now: datetime, zone: Any) -> Row:
    """Parse and validate a row: known code, number, unit, plausible value, plausible time."""
    try:
        measure = by_name(cells.get("code", ""))
        if measure is None:
            raise InvalidInput("value_code", given=cells.get("code", "")[:40])
        at = _moment(cells.get("time", ""), now, zone)
        value = parse_value(measure, cells.get("value", ""), cells.get("unit", ""))
    except InvalidInput as problem:
        return Row(number, cells, problem=problem)
    return Row(number, cells, measure, at, value)


def parse_value(measure: Measure, value: str, unit: str) -> float:
    """Parse a value, convert it to the measurement's unit and check its plausibility.

    Raises:
        Unusable: ``value_number``, ``value_unit`` or ``value_impossible``.
    """
    try:
        number = float(value.strip().replace(",", ".") if value.count(",") == 1 and "." not in value else value)
    except ValueError:
        raise InvalidInput("value_number", value=value[:40]) from None
    try:
        converted = convert(number, unit, measure)
    except UnknownUnit:
        raise InvalidInput("value_unit", unit=unit[:40], expected=measure.unit) from None
    if not measure.minimum <= converted <= measure.maximum:  # also rejects NaN
        raise InvalidInput(
            "value_impossible",
            value=f"{converted:g}",
            unit=measure.unit,
            least=f"{measure.minimum:g}",
            most=f"{measure.maximum:g}",
        )
    return round(converted, 6)


def _moment(text: str, now: datetime, zone: Any) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip().replace("/", "-"))
    except ValueError:
        raise InvalidInput("value_time", value=text[:40]) from None
    at = at if at.tzinfo else at.replace(tzinfo=zone)
    if at > now:
        raise InvalidInput("value_future", value=text[:40])
    if at < EARLIEST:
        raise InvalidInput("value_time", value=text[:40])
    return at


def _csv(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        dialect: Any = csv.Sniffer().sniff(text[:4096], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        rows = iter(list(csv.reader(io.StringIO(text, newline=""), dialect)))
    except csv.Error:
        raise InvalidInput("values_binary") from None
    heading = [cell.strip().casefold() for cell in next(rows, [])]
    columns = {
        name: next((heading.index(known) for known in names if known in heading), None) for name, names in NAMES.items()
    }
    missing = [name for name in ("time", "code", "value") if columns[name] is None]
    if missing:
        raise InvalidInput("values_columns", columns=", ".join(missing), expected=", ".join(COLUMNS))
    for number, cells in enumerate(rows, start=2):
        if any(cell.strip() for cell in cells):
            yield (
                number,
                {
                    name: cells[index].strip() if index is not None and index < len(cells) else ""
                    for name, index in columns.items()
                },
            )


def _fhir(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("values_json", line=getattr(error, "lineno", 1)) from None
    resources = document if isinstance(document, list) else [document]
    if isinstance(document, dict) and document.get("resourceType") == "Bundle":
        entries = document.get("entry")
        resources = (
            [entry.get("resource") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
        )
    number = 0
    for resource in resources:
        for row in _observation(resource):
            number += 1
            yield number, row


def _observation(resource: Any) -> list[dict[str, str]]:
    """Return one row, or one per component (blood pressure); any other resource gives a row that reports it."""
    if not isinstance(resource, dict) or resource.get("resourceType") != "Observation":
        kind = resource.get("resourceType", "?") if isinstance(resource, dict) else "?"
        return [{"code": f"{kind} (Observation expected)", "time": "", "value": "", "unit": ""}]
    time = str(resource.get("effectiveDateTime") or resource.get("effectiveInstant") or resource.get("issued") or "")
    parts = resource.get("component")
    parts = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) and parts else [resource]
    return [{"time": time, **_quantity(part)} for part in parts]


def _quantity(part: dict[str, Any]) -> dict[str, str]:
    code = part.get("code")
    codings = code.get("coding") if isinstance(code, dict) else None
    codings = [coding for coding in codings if isinstance(coding, dict)] if isinstance(codings, list) else []
    loinc = next((str(coding.get("code", "")) for coding in codings if coding.get("system") == LOINC), "")
    quantity = part.get("valueQuantity")
    quantity = quantity if isinstance(quantity, dict) else {}
    return {
        "code": loinc or (str(codings[0].get("code", "")) if codings else ""),
        "value": str(quantity.get("value", "")),
        "unit": str(quantity.get("code") or quantity.get("unit") or ""),
    }

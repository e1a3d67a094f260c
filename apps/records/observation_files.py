"""Parsers for files of values: CSV, and FHIR R4/R5 Observations, single or in a Bundle."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from apps.records.fhir_observations import IsPatient, read_observation
from apps.terminology.loinc import Measure
from apps.terminology.numbers import NotANumber, read_number
from apps.terminology.quantities import Choice, Reading, State, read_measure, read_quantity

MAX_BYTES = 20 * 2**20
MAX_ROWS = 20_000
COLUMNS = ("time", "code", "value", "unit")
NAMES = {
    "time": ("time", "at", "datetime", "date", "timestamp", "时间", "日期"),
    "code": ("code", "loinc", "test", "name", "parameter", "项目", "代码", "名称"),
    "value": ("value", "result", "结果", "数值", "值"),
    "unit": ("unit", "units", "单位"),
    "specimen": ("specimen", "sample", "标本", "样本", "标本类型"),
}
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


class InvalidInput(Exception):
    """A file or row that cannot be imported: a registered reason code and its parameters."""

    def __init__(self, code: str, **parameters: str | int | float) -> None:
        super().__init__(code)
        self.code, self.parameters = code, parameters


@dataclass(frozen=True)
class Row:
    """A row of the file, with its value or the reason why it has none.

    Attributes:
        cells: as written.
        comparator: of the value, ``<`` for "below 0.5".
        choices: the values that it may stand for; a clinician chooses one before it is imported.
    """

    number: int
    cells: dict[str, str]
    measure: Measure | None = None
    at: datetime | None = None
    value: float | None = None
    problem: InvalidInput | None = None
    comparator: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class _Entry:
    """A row as found in the file; FHIR values come with their reading."""

    number: int
    cells: dict[str, str]
    reading: Reading | None = None


def read_file(
    content: bytes, *, now: datetime, zone: Any, is_patient: IsPatient | None = None
) -> tuple[str, list[Row]]:
    """Return the format of a file (``csv`` or ``fhir``) and its rows.

    Args:
        zone: time zone of times without one.
        is_patient: whether a FHIR reference names the patient of the record; others' values are refused.

    Raises:
        InvalidInput: if the file as a whole cannot be read.
    """
    if len(content) > MAX_BYTES:
        raise InvalidInput("values_too_large", most=MAX_BYTES // 2**20)
    if b"\0" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidInput("values_binary")
    text = decode(content)
    kind = "fhir" if text.lstrip()[:1] in ("{", "[") else "csv"
    entries = list(_fhir(text, is_patient) if kind == "fhir" else _csv(text))
    if not entries:
        raise InvalidInput("values_empty")
    if len(entries) > MAX_ROWS:
        raise InvalidInput("values_too_many", most=MAX_ROWS)
    return kind, [parse_row(entry.number, entry.cells, entry.reading, now=now, zone=zone) for entry in entries]


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


def parse_row(number: int, cells: dict[str, str], reading: Reading | None = None, *, now: datetime, zone: Any) -> Row:
    """Validate a row: known code, number, unit, plausible value, plausible time."""
    reading = reading or read_quantity(
        cells.get("code", ""), cells.get("value", ""), cells.get("unit", ""), specimen=cells.get("specimen", "")
    )
    try:
        if reading.state == State.REFUSED:
            raise InvalidInput(reading.reason, **reading.parameters)
        at = _moment(cells.get("time", ""), now, zone)
    except InvalidInput as problem:
        return Row(number, cells, problem=problem)
    question = InvalidInput(reading.reason, **reading.parameters) if reading.state == State.ASK else None
    return Row(number, cells, reading.measure, at, reading.value, question, reading.comparator, reading.choices)


def parse_value(measure: Measure, value: str, unit: str, *, listed_unit: bool = True) -> Reading:
    """Read a value of a measurement.

    Args:
        listed_unit: whether a value without unit is in the measurement's own, because the form says so.

    Raises:
        InvalidInput: if it is refused.
    """
    reading = read_measure(measure, value, unit or (_own_unit(measure, value) if listed_unit else ""))
    if reading.state == State.REFUSED:
        raise InvalidInput(reading.reason, **reading.parameters)
    return reading


def _own_unit(measure: Measure, value: str) -> str:
    """Return the unit that the form lists, unless one stands behind the number."""
    try:
        return "" if read_number(value).unit else measure.unit
    except NotANumber:
        return measure.unit


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


def _csv(text: str) -> Iterator[_Entry]:
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
            named = {
                name: cells[index].strip() if index is not None and index < len(cells) else ""
                for name, index in columns.items()
            }
            yield _Entry(number, named)


def _fhir(text: str, is_patient: IsPatient | None) -> Iterator[_Entry]:
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
        for cells, reading in _observed(resource, is_patient):
            number += 1
            yield _Entry(number, cells, reading)


def _observed(resource: Any, is_patient: IsPatient | None) -> Iterator[tuple[dict[str, str], Reading]]:
    """Yield each value of an Observation as cells and reading; any other resource gives a row that reports it."""
    for row in read_observation(resource if isinstance(resource, dict) else {}, is_patient=is_patient):
        yield {"time": row.time, "code": row.code, "value": row.value, "unit": row.unit, "specimen": ""}, row.reading

"""Search keys on plain columns, as conditions for the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Case, F, Lookup, Q, Value, When

from apps.imaging.dicom.query import Condition, Dates, Times
from apps.imaging.dicom.query_attributes import Form, Level

PREFIXES: dict[Level, dict[Level, str]] = {
    Level.STUDY: {Level.STUDY: "", Level.SERIES: ""},
    Level.SERIES: {Level.STUDY: "study__", Level.SERIES: ""},
    Level.INSTANCE: {Level.STUDY: "series__study__", Level.SERIES: "series__", Level.INSTANCE: ""},
}
"""Lookup prefixes from the level of the results to the level of an attribute."""

COLUMNS = {
    "StudyInstanceUID": "study_instance_uid",
    "StudyDate": "study_date",
    "StudyTime": "study_time",
    "ModalitiesInStudy": "modalities",
    "PatientSex": "patient__sex",
    "Modality": "modality",
    "BodyPartExamined": "body_part",
    "SeriesInstanceUID": "series_instance_uid",
    "SeriesNumber": "number",
    "PerformedProcedureStepStartDate": "performed_date",
    "PerformedProcedureStepStartTime": "performed_time",
    "SOPClassUID": "sop_class_uid",
    "SOPInstanceUID": "sop_instance_uid",
    "InstanceNumber": "number",
    "Rows": "rows",
    "Columns": "columns",
    "BitsAllocated": "bits_allocated",
    "NumberOfFrames": "number_of_frames",
}
_NUMBERED = frozenset({"SeriesNumber", "InstanceNumber"})
_ZERO_IF_ABSENT = frozenset({"Rows", "Columns", "BitsAllocated"})
_PARTNERS = {
    "StudyDate": "StudyTime",
    "PerformedProcedureStepStartDate": "PerformedProcedureStepStartTime",
}


class Like(Lookup):  # type: ignore[type-arg]
    """SQL LIKE with a pattern of DICOM wildcards."""

    prepare_rhs = False
    lookup_name = "like"

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} LIKE %s ESCAPE '\\'", [*parameters, self.rhs]


def plain_condition(
    condition: Condition, others: Mapping[str, Condition], level: Level, *, broad: bool = False
) -> Q | None:
    """Return a condition on a plain column; None if the value is sealed.

    Args:
        others: all conditions by path. Ranges of date and time are combined to one range of moments (PS3.4 section
            C.2.2.2.5).
        level: of the results.
        broad: whether so many rows match that the database should go by the order of the results, not by this column.
    """
    path = condition.attribute.path
    if path not in COLUMNS:
        return None
    column = f"{PREFIXES[level][condition.attribute.level]}{COLUMNS[path]}"
    if condition.attribute.form is Form.DATE:
        time = others.get(_PARTNERS[path])
        if time is not None and _combined(condition, time):
            return _moments(condition, time, column)
    if condition.attribute.form is Form.TIME:
        day = others.get({time: day for day, time in _PARTNERS.items()}[path])
        if day is not None and _combined(day, condition):
            return Q()
    if broad and path == "Modality":
        return _after_the_study(condition, column, PREFIXES[level][Level.STUDY])
    return _compared(condition, column, path)


def _compared(condition: Condition, column: str, path: str) -> Q:
    if condition.empty:
        return _empty(column, path)
    if condition.dates is not None:
        return _between(column, condition.dates)
    if condition.times is not None:
        return _between(column, condition.times)
    if condition.numbers:
        return _number(condition.numbers[0], column, path)
    return _texts(condition, column, path)


def _empty(column: str, path: str) -> Q:
    if path in _NUMBERED:
        return Q(**{f"{column}ed": False})
    if path in _ZERO_IF_ABSENT:
        return Q(**{column: 0})
    if path == "ModalitiesInStudy":
        return Q(**{f"{column}__in": ["", ",", ",,"]})
    texts = {"PatientSex", "Modality", "BodyPartExamined"}
    return Q(**{column: ""}) if path in texts else Q(**{f"{column}__isnull": True})


def _between(column: str, limits: Dates | Times) -> Q:
    condition = Q(**{f"{column}__isnull": False})
    column = _ordered(column)
    if limits.first is not None:
        condition &= Q(**{f"{column}__gte": limits.first})
    if limits.last is not None:
        condition &= Q(**{f"{column}__lte": limits.last})
    return condition


def _ordered(column: str) -> str:
    """Return the column by whose index results are ordered, which equals the study date where that is known."""
    return column.replace("study_date", "sort_date")


def _number(number: int, column: str, path: str) -> Q:
    if not -(2**31) <= number < 2**31 or (number == 0 and path in _ZERO_IF_ABSENT):
        return Q(pk__in=[])
    condition = Q(**{column: number})
    return condition & Q(**{f"{column}ed": True}) if path in _NUMBERED else condition


def _texts(condition: Condition, column: str, path: str) -> Q:
    if path == "ModalitiesInStudy":
        return _any_like(column, (f"%,{_pattern(text)},%" for text in condition.texts))
    exact = [text for text in condition.texts if not _is_pattern(condition, text)]
    result = Q(**{f"{column}__in": exact}) if exact else Q(pk__in=[])
    for text in condition.texts:
        if _is_pattern(condition, text):
            result |= _like(column, _pattern(text)) & ~Q(**{column: ""})
    return result


def _is_pattern(condition: Condition, text: str) -> bool:
    return condition.attribute.form is Form.CODE and ("*" in text or "?" in text)


def _after_the_study(condition: Condition, column: str, study: str) -> Q:
    """Return a condition on a series that can be evaluated only once its study is read.

    Studies come in the order of the results, so the database stops after a page. Were it free to, it would start from
    all series and sort them. The sort date is never NULL.
    """
    value = Case(When(**{f"{study}sort_date__isnull": False}, then=F(column)), default=Value(""))
    result = Q()
    for text in condition.texts:
        result |= Q(Like(value, _pattern(text)))
    return result


def _any_like(column: str, patterns: Iterable[str]) -> Q:
    result = Q()
    for pattern in patterns:
        result |= _like(column, pattern)
    return result


def _like(column: str, pattern: str) -> Q:
    return Q(Like(F(column), pattern))


def _pattern(text: str) -> str:
    """Convert DICOM wildcards to those of LIKE."""
    for character in "\\%_":
        text = text.replace(character, f"\\{character}")
    while "**" in text:
        text = text.replace("**", "*")
    return text.replace("*", "%").replace("?", "_")


def _combined(day: Condition, time: Condition) -> bool:
    """Return whether a date and a time key make one range of moments."""
    return bool(day.dates and time.times and day.dates.is_range and time.times.is_range)


def _moments(day: Condition, time: Condition, column: str) -> Q:
    """Return the range of moments; a day on a limit whose time is unknown does not match."""
    assert day.dates is not None and time.times is not None
    clock = column.removesuffix("date") + "time"
    first, last = day.dates.first, day.dates.last
    condition = Q(**{f"{column}__isnull": False})
    column = _ordered(column)
    if first is not None:
        condition &= Q(**{f"{column}__gte": first})
        if time.times.first is not None:
            condition &= Q(**{f"{column}__gt": first}) | Q(**{f"{clock}__gte": time.times.first})
    if last is not None:
        condition &= Q(**{f"{column}__lte": last})
        if time.times.last is not None:
            condition &= Q(**{f"{column}__lt": last}) | Q(**{f"{clock}__lte": time.times.last})
    return condition

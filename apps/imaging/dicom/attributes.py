"""The header attributes used by the site, validated and cleaned."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache

from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.tag import BaseTag, Tag

from apps.imaging.dicom.element_values import Kind, Scope, read_values
from apps.imaging.dicom.parser import Unreadable

_AGE = re.compile(r"([0-9]{3})([DWMY])")
_TIME = re.compile(r"([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:\.([0-9]{1,6}))?)?)?")
_PER_YEAR = {"D": 365.25, "W": 52.18, "M": 12, "Y": 1}
_UID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]*")
"""Wider than PS3.5 section 9.1: leading zeros and hashes of de-identified files are kept as they are."""

MAX_REQUESTS = 32
"""Items of Request Attributes Sequence that are indexed."""


@dataclass(frozen=True)
class Attributes:
    """Attributes by PS3.6 keyword; text is stripped and truncated, missing values are empty."""

    patient_id: str
    issuer: str
    patient_name: str
    birth_date: date | None
    sex: str
    address: str
    study_uid: str
    study_date: date | None
    study_time: str
    study_id: str
    timezone: str
    accession_number: str
    study_description: str
    referring_physician: str
    series_uid: str
    series_number: int | None
    series_description: str
    modality: str
    body_part: str
    view_position: str
    performed_date: date | None
    performed_time: str
    requests: tuple[tuple[str, str], ...]
    sop_instance_uid: str
    sop_class_uid: str
    instance_number: int | None
    rows: int
    columns: int
    bits_allocated: int
    number_of_frames: int | None
    photometric: str
    stat: bool
    age: float | None


def read_attributes(header: Dataset) -> Attributes:
    """Read the attributes of a header.

    Raises:
        Unreadable: ``missing_uid`` with the keyword, if a UID that identifies the object is missing or invalid.
    """
    return Attributes(
        patient_id=_text(header, "PatientID", 64),
        issuer=_text(header, "IssuerOfPatientID", 64),
        patient_name=_text(header, "PatientName", 324),
        birth_date=_date(header, "PatientBirthDate"),
        sex=_text(header, "PatientSex", 1).upper(),
        address=_text(header, "PatientAddress", 500),
        study_uid=_uid(header, "StudyInstanceUID"),
        study_date=_date(header, "StudyDate"),
        study_time=_text(header, "StudyTime", 16),
        study_id=_text(header, "StudyID", 64),
        timezone=_text(header, "TimezoneOffsetFromUTC", 16),
        accession_number=_text(header, "AccessionNumber", 64),
        study_description=_text(header, "StudyDescription", 200),
        referring_physician=_text(header, "ReferringPhysicianName", 324),
        series_uid=_uid(header, "SeriesInstanceUID"),
        series_number=_stated_integer(header, "SeriesNumber"),
        series_description=_text(header, "SeriesDescription", 200),
        modality=re.sub(r"[^A-Z0-9_]", "", _text(header, "Modality", 16).upper()) or "OT",
        body_part=_text(header, "BodyPartExamined", 16).upper(),
        view_position=_text(header, "ViewPosition", 16).upper(),
        performed_date=_date(header, "PerformedProcedureStepStartDate"),
        performed_time=_text(header, "PerformedProcedureStepStartTime", 16),
        requests=_requests(header),
        sop_instance_uid=_uid(header, "SOPInstanceUID"),
        sop_class_uid=_uid(header, "SOPClassUID"),
        instance_number=_stated_integer(header, "InstanceNumber"),
        rows=max(_integer(header, "Rows"), 0),
        columns=max(_integer(header, "Columns"), 0),
        bits_allocated=min(max(_integer(header, "BitsAllocated"), 0), 2**15 - 1),
        number_of_frames=_frames(header),
        photometric=_text(header, "PhotometricInterpretation", 16),
        stat=_text(header, "RequestedProcedurePriority", 16).upper() in {"STAT", "HIGH"},
        age=age_in_years(_text(header, "PatientAge", 4)),
    )


def age_in_years(text: str) -> float | None:
    """Convert an Age String, AS (PS3.5 section 6.2), to years: 018M is 1.5; None for anything else."""
    match = _AGE.fullmatch(text.strip().upper())
    return int(match[1]) / _PER_YEAR[match[2]] if match else None


def age_at(born: date | None, day: date | None) -> float | None:
    """Return the age in years on a day, exact for whole years; None if a date is unknown or precedes the birth."""
    if born is None or day is None or day < born:
        return None
    had_birthday = (day.month, day.day) >= (born.month, born.day)
    years = day.year - born.year - (not had_birthday)
    last = _birthday(born, born.year + years)
    return years + (day - last).days / 366


def _birthday(born: date, year: int) -> date:
    try:
        return born.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 2, 28)


@lru_cache(maxsize=256)
def _tag(keyword: str) -> BaseTag:
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword
    return Tag(tag)


def _text(header: Dataset, keyword: str, max_length: int, outer: Scope | None = None) -> str:
    """Return an element's text; several values are joined by a backslash.

    Args:
        outer: the scope of the data set around an item.
    """
    tag = _tag(keyword)
    if tag not in header:
        return ""
    try:
        values = read_values(header, tag, (outer or Scope()).of(header))
    except Exception:  # pydicom raises arbitrary exceptions on damaged input
        return ""
    if values.kind not in (Kind.TEXTS, Kind.NAMES, Kind.NUMBERS):
        return ""
    text = "\\".join("" if value is None else str(value) for value in values.content)
    return text.replace("\0", "").strip()[:max_length]


def _uid(header: Dataset, keyword: str) -> str:
    value = _text(header, keyword, 65)
    if len(value) > 64 or not _UID.fullmatch(value):
        raise Unreadable("missing_uid", keyword=keyword)
    return value


def _date(header: Dataset, keyword: str) -> date | None:
    """DA, PS3.5 section 6.2: YYYYMMDD; the retired form with dots is accepted too."""
    digits = _text(header, keyword, 10).replace(".", "").replace("-", "")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) if len(digits) == 8 else None
    except ValueError:
        return None


def time_of_day(text: str) -> time | None:
    """Read TM, PS3.5 section 6.2: HHMMSS.FFFFFF, from the left as far as it is known; colons are accepted too."""
    match = _TIME.fullmatch(text.replace(":", ""))
    if match is None:
        return None
    hour, minute, second, fraction = match.groups("0")
    try:
        return time(int(hour), int(minute), min(int(second), 59), int(fraction.ljust(6, "0")))
    except ValueError:
        return None


def _integer(header: Dataset, keyword: str) -> int:
    return _stated_integer(header, keyword) or 0


def _stated_integer(header: Dataset, keyword: str) -> int | None:
    """Read a number; None if there is none, which is not the same as 0."""
    try:
        return max(min(int(_text(header, keyword, 12)), 2**31 - 1), -(2**31))
    except ValueError:
        return None


def _frames(header: Dataset) -> int | None:
    frames = _stated_integer(header, "NumberOfFrames")
    return None if frames is None else max(frames, 0)


def _requests(header: Dataset) -> tuple[tuple[str, str], ...]:
    """Read Scheduled Procedure Step ID and Requested Procedure ID of each requested procedure."""
    tag, scope = _tag("RequestAttributesSequence"), Scope().of(header)
    if tag not in header:
        return ()
    try:
        values = read_values(header, tag, scope)
    except Exception:  # pydicom raises arbitrary exceptions on damaged input
        return ()
    items = values.content[:MAX_REQUESTS] if values.kind is Kind.ITEMS else []
    keywords = ("ScheduledProcedureStepID", "RequestedProcedureID")
    requests = [tuple(_text(item, keyword, 64, scope) for keyword in keywords) for item in items]
    return tuple((step, procedure) for step, procedure in requests if step or procedure)

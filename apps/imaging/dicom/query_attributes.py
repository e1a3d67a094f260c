"""Attributes that can be searched for or are returned, PS3.18 tables 10.6.1-5 and 10.6.3-3 to 10.6.3-5."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from pydicom.datadict import dictionary_VR, tag_for_keyword


class Level(IntEnum):
    """Level of a resource."""

    STUDY = 1
    SERIES = 2
    INSTANCE = 3


class Form(Enum):
    """How values are written and matched."""

    UID = "UID, or a list"
    CODE = "code, or a list; wildcards"
    TEXT = "text; wildcards"
    NAME = "person name; wildcards, fuzzy matching"
    NUMBER = "number"
    DATE = "date, or a range"
    TIME = "time, or a range"


@dataclass(frozen=True)
class Attribute:
    """An attribute by its path of keywords, joined by dots.

    Attributes:
        usual: whether it is returned without being asked for.
        searchable: whether it may be a matching key.
    """

    path: str
    level: Level
    form: Form
    usual: bool = True
    searchable: bool = True

    @property
    def tags(self) -> tuple[int, ...]:
        """The path as tags."""
        return tuple(tag_for_keyword(keyword) or 0 for keyword in self.path.split("."))

    @property
    def vr(self) -> str:
        """Value Representation."""
        return dictionary_VR(self.tags[-1])


def _level(level: Level, *attributes: tuple[str, Form, bool, bool]) -> list[Attribute]:
    return [Attribute(path, level, form, usual, searchable) for path, form, usual, searchable in attributes]


ATTRIBUTES = [
    *_level(
        Level.STUDY,
        ("StudyDate", Form.DATE, True, True),
        ("StudyTime", Form.TIME, True, True),
        ("AccessionNumber", Form.TEXT, True, True),
        ("InstanceAvailability", Form.CODE, True, False),
        ("ModalitiesInStudy", Form.CODE, True, True),
        ("ReferringPhysicianName", Form.NAME, True, True),
        ("TimezoneOffsetFromUTC", Form.TEXT, True, False),
        ("StudyDescription", Form.TEXT, False, True),
        ("RetrieveURL", Form.TEXT, True, False),
        ("PatientName", Form.NAME, True, True),
        ("PatientID", Form.TEXT, True, True),
        ("IssuerOfPatientID", Form.TEXT, False, True),
        ("PatientBirthDate", Form.DATE, True, True),
        ("PatientSex", Form.CODE, True, True),
        ("StudyInstanceUID", Form.UID, True, True),
        ("StudyID", Form.TEXT, True, True),
        ("NumberOfStudyRelatedSeries", Form.NUMBER, True, False),
        ("NumberOfStudyRelatedInstances", Form.NUMBER, True, False),
    ),
    *_level(
        Level.SERIES,
        ("Modality", Form.CODE, True, True),
        ("SeriesDescription", Form.TEXT, True, True),
        ("BodyPartExamined", Form.CODE, False, True),
        ("SeriesInstanceUID", Form.UID, True, True),
        ("SeriesNumber", Form.NUMBER, True, True),
        ("NumberOfSeriesRelatedInstances", Form.NUMBER, True, False),
        ("PerformedProcedureStepStartDate", Form.DATE, True, True),
        ("PerformedProcedureStepStartTime", Form.TIME, True, True),
        ("RequestAttributesSequence.ScheduledProcedureStepID", Form.TEXT, True, True),
        ("RequestAttributesSequence.RequestedProcedureID", Form.TEXT, True, True),
    ),
    *_level(
        Level.INSTANCE,
        ("SOPClassUID", Form.UID, True, True),
        ("SOPInstanceUID", Form.UID, True, True),
        ("InstanceNumber", Form.NUMBER, True, True),
        ("Rows", Form.NUMBER, True, True),
        ("Columns", Form.NUMBER, True, True),
        ("BitsAllocated", Form.NUMBER, True, True),
        ("NumberOfFrames", Form.NUMBER, True, True),
    ),
]
BY_PATH = {attribute.path: attribute for attribute in ATTRIBUTES}
BY_TAGS = {attribute.tags: attribute for attribute in ATTRIBUTES}

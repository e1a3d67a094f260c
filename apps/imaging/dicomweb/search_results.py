"""Results of QIDO-RS as DICOM JSON (PS3.18 tables 10.6.3-3 to 10.6.3-5)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.db.models import Count

from apps.imaging.dicom.json_model import NAME_GROUPS, JsonObject
from apps.imaging.dicom.query import Query
from apps.imaging.dicom.query_attributes import ATTRIBUTES, Attribute, Form, Level
from apps.imaging.dicomweb.base import instance_url, series_path, study_path
from apps.imaging.models import Instance, Series, Study
from apps.imaging.search import Results

Counts = dict[uuid.UUID, int]


class Presenter:
    """Builds the results of one answer; what it counts costs a constant number of queries.

    Args:
        site: scheme and host, for RetrieveURL.
        within: study and series that the resource's address states. Attributes of their levels are left out, unless
            they were asked for.
    """

    def __init__(self, query: Query, level: Level, results: Results, site: str, within: tuple[str, str]) -> None:
        self.level, self.results, self.site = level, results, site
        stated = Level.SERIES if within[1] else Level.STUDY if within[0] else None
        self.attributes = [attribute for attribute in ATTRIBUTES if _returned(attribute, query, level, stated=stated)]
        self.paths = {attribute.path for attribute in self.attributes}
        self._count()

    def models(self) -> Iterator[JsonObject]:
        """Yield each result."""
        for row in self.results.rows:
            model: JsonObject = {"00080005": {"vr": "CS", "Value": ["ISO_IR 192"]}}
            values = self._values(row)
            for attribute in self.attributes:
                tags = attribute.tags
                if len(tags) == 1:
                    model[f"{tags[0]:08X}"] = _element(attribute, values.get(attribute.path))
            if any(path.startswith("RequestAttributesSequence.") for path in self.paths):
                model["00400275"] = _requests(values["requests"])
            yield dict(sorted(model.items()))

    def _count(self) -> None:
        studies = [study.pk for study in self.results.studies]
        self.series_counts: Counts = {}
        self.instance_counts: Counts = {}
        self.counts_of_series: Counts = {}
        if "NumberOfStudyRelatedSeries" in self.paths:
            self.series_counts = _counted(Series.objects.filter(study__in=studies), "study")
        if "NumberOfStudyRelatedInstances" in self.paths:
            self.instance_counts = _counted(Instance.objects.filter(series__study__in=studies), "series__study")
        if "NumberOfSeriesRelatedInstances" in self.paths:
            rows = self.results.rows
            series = {row.pk if isinstance(row, Series) else row.series_id for row in rows}
            self.counts_of_series = _counted(Instance.objects.filter(series__in=series), "series")

    def _values(self, row: Study | Series | Instance) -> dict[str, Any]:
        """Return values by keyword."""
        if isinstance(row, Study):
            return self._study_values(row)
        if isinstance(row, Series):
            return {**self._study_values(row.study), **self._series_values(row)}
        series = row.series
        return {**self._study_values(series.study), **self._series_values(series), **self._instance_values(row)}

    def _study_values(self, study: Study) -> dict[str, Any]:
        values: dict[str, Any] = {
            "StudyInstanceUID": study.study_instance_uid,
            "InstanceAvailability": "ONLINE",
            "RetrieveURL": f"{self.site}{study_path(study)}",
        }
        if self.paths.isdisjoint(_SEALED):  # nothing is decrypted that is not sent
            return values
        headers, patient = study.headers, study.patient
        return {
            **values,
            "StudyDate": study.study_date,
            "StudyTime": headers.get("study_time", "") or study.study_time,
            "AccessionNumber": headers.get("accession_number", ""),
            "ModalitiesInStudy": study.modality_list,
            "ReferringPhysicianName": headers.get("referring_physician", ""),
            "TimezoneOffsetFromUTC": headers.get("timezone", ""),
            "StudyDescription": headers.get("study_description", ""),
            "StudyID": headers.get("study_id", ""),
            "PatientName": patient.name,
            "PatientID": patient.mrn,
            "IssuerOfPatientID": patient.mrn_issuer,
            "PatientBirthDate": patient.birth_date,
            "PatientSex": patient.sex,
            "NumberOfStudyRelatedSeries": self.series_counts.get(study.pk, 0),
            "NumberOfStudyRelatedInstances": self.instance_counts.get(study.pk, 0),
        }

    def _series_values(self, series: Series) -> dict[str, Any]:
        headers = series.headers
        return {
            "Modality": series.modality,
            "SeriesDescription": headers.get("series_description", ""),
            "BodyPartExamined": series.body_part,
            "SeriesInstanceUID": series.series_instance_uid,
            "SeriesNumber": series.number if series.numbered else None,
            "NumberOfSeriesRelatedInstances": self.counts_of_series.get(series.pk, 0),
            "PerformedProcedureStepStartDate": series.performed_date,
            "PerformedProcedureStepStartTime": headers.get("performed_time", "") or series.performed_time,
            "requests": headers.get("requests", ()),
            "RetrieveURL": f"{self.site}{series_path(series)}",
        }

    def _instance_values(self, instance: Instance) -> dict[str, Any]:
        return {
            "SOPClassUID": instance.sop_class_uid,
            "SOPInstanceUID": instance.sop_instance_uid,
            "InstanceNumber": instance.number if instance.numbered else None,
            "Rows": instance.rows or None,
            "Columns": instance.columns or None,
            "BitsAllocated": instance.bits_allocated or None,
            "NumberOfFrames": instance.number_of_frames,
            "RetrieveURL": f"{self.site}{instance_url(instance)}",
        }


_ALWAYS = frozenset({"StudyInstanceUID", "InstanceAvailability", "RetrieveURL", "SeriesInstanceUID"})
"""Returned at each level below their own too, so that a result can be retrieved without its RetrieveURL."""
_SEALED = frozenset(attribute.path for attribute in ATTRIBUTES if attribute.level is Level.STUDY) - _ALWAYS


def _returned(attribute: Attribute, query: Query, level: Level, *, stated: Level | None) -> bool:
    if attribute.level > level:
        return False
    if attribute.path in query.included or attribute.path in _ALWAYS:
        return True
    outside = stated is not None and attribute.level <= stated
    return not outside and (attribute.usual or query.include_all)


def _counted(rows: Any, column: str) -> Counts:
    return dict(rows.order_by().values_list(column).annotate(Count("pk")))


def _element(attribute: Attribute, value: Any) -> JsonObject:
    values = [_plain(item, attribute) for item in (value if isinstance(value, list) else [value])]
    present = [item for item in values if item not in (None, "")]
    return {"vr": attribute.vr, "Value": present} if present else {"vr": attribute.vr}


def _plain(value: Any, attribute: Attribute) -> Any:
    if value in (None, ""):
        return None
    if attribute.form is Form.NAME:
        groups = {group: text for group, text in zip(NAME_GROUPS, value.split("=", 2), strict=False) if text}
        return groups or None
    if attribute.form is Form.DATE:
        return value.strftime("%Y%m%d") if value.year >= 1000 else f"{value.year:04}{value.month:02}{value.day:02}"
    if attribute.form is Form.TIME and not isinstance(value, str):
        return value.strftime("%H%M%S.%f").removesuffix(".000000")
    return value


def _requests(requests: Any) -> JsonObject:
    items = [
        {
            tag: {"vr": "SH", "Value": [text]} if text else {"vr": "SH"}
            for tag, text in (("00400009", step), ("00401001", procedure))
        }
        for step, procedure in requests
    ]
    return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}

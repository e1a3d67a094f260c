"""QIDO-RS: every key, at every level, and queries that are hostile or too broad."""

from __future__ import annotations

import io
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from rest_framework.test import APIClient

from apps.accounts.models import AuditEntry, CareTeam, User
from apps.imaging import search, study_tokens
from apps.imaging.dicom.query import EMPTY, InvalidQuery, parse_query
from apps.imaging.dicom.query_attributes import ATTRIBUTES, Level
from apps.imaging.matching import glob, name_matches
from apps.imaging.models import Study, StudyToken
from apps.patients.consent import record_consent
from apps.patients.models import ConsentState, Patient, Purpose
from tests.factories import take_in

CT, SR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.88.11"


def file_of(study: str, series: str = "1", instance: str = "1", **attributes: Any) -> bytes:
    """A small DICOM file; UIDs are short and told apart by study and series."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = attributes.pop("SOPClassUID", CT)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"1.{study}", f"1.{study}.{series}"
    dataset.SOPInstanceUID = f"1.{study}.{series}.{instance}"
    dataset.PatientID, dataset.PatientName, dataset.Modality = "P1", "Lindqvist^Åsa", "CT"
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def request_item(step: str, procedure: str) -> Dataset:
    item = Dataset()
    item.ScheduledProcedureStepID, item.RequestedProcedureID = step, procedure
    return item


@pytest.fixture
def archive(team: CareTeam) -> None:
    """Three studies of two patients."""
    first = {
        "StudyDate": "20260102", "StudyTime": "101500.25", "AccessionNumber": "A1", "StudyID": "S1",
        "ReferringPhysicianName": "Müller^Anna", "StudyDescription": "Chest CT", "PatientBirthDate": "19700203",
        "PatientSex": "F", "IssuerOfPatientID": "ward", "TimezoneOffsetFromUTC": "+0100",
    }  # fmt: skip
    pixels = {
        "Rows": 2, "Columns": 4, "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0,
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "PixelData": b"\0" * 16, "NumberOfFrames": 2,
    }  # fmt: skip
    performed = {
        "SeriesNumber": 3, "SeriesDescription": "axial", "BodyPartExamined": "CHEST",
        "PerformedProcedureStepStartDate": "20260102", "PerformedProcedureStepStartTime": "1010",
        "RequestAttributesSequence": [request_item("step1", "proc1"), request_item("step2", "proc2")],
    }  # fmt: skip
    second = {
        "PatientID": "P2", "PatientName": "Li^Ming=李^明", "StudyDate": "20260104", "StudyTime": "08", "StudyID": "S2",
        "AccessionNumber": "A2", "ReferringPhysicianName": "Muller^Ben", "PatientSex": "M",
    }  # fmt: skip
    for content in (
        file_of("1", "1", "1", InstanceNumber=1, **first, **performed, **pixels),
        file_of("1", "1", "2", InstanceNumber=2, **first, **performed),
        file_of("1", "2", "1", InstanceNumber=7, SOPClassUID=SR, **{**first, "Modality": "SR"}),
        file_of("2", "1", "1", **second, SeriesNumber=0, Rows=512),
        file_of("3", "1", "1", **{**second, "StudyDate": "", "StudyTime": "", "AccessionNumber": "", "Modality": "MR"}),
    ):
        received = take_in(content, team)
        assert received.instance, received


def found(api: APIClient, path: str, **parameters: Any) -> list[str]:
    """The deepest UIDs of the results, sorted."""
    answer = api.get(f"/dicom-web/{path}", parameters)
    assert answer.status_code in (200, 204), answer.content
    models = answer.json() if answer.status_code == 200 else []
    deepest = {"s": "0020000D", "e": "0020000E", "i": "00080018"}
    kind = "i" if path.endswith("instances") else "e" if path.endswith("series") else "s"
    return sorted(model[deepest[kind]]["Value"][0].removeprefix("1.") for model in models)


STUDY_KEYS = [
    ("StudyDate", "20260102", ["1"]),
    ("StudyDate", "20260103-", ["2"]),
    ("StudyDate", "-20260103", ["1"]),
    ("StudyDate", "20260101-20260131", ["1", "2"]),
    ("00080020", "20260101 - 20260103", ["1"]),
    ("StudyDate", "20270101-20260101", []),
    ("StudyTime", "101500.25", ["1"]),
    ("StudyTime", "1015", ["1"]),
    ("StudyTime", "10", ["1"]),
    ("StudyTime", "101501", []),
    ("StudyTime", "0800-1000", ["2"]),
    ("StudyTime", "-1015", ["1", "2"]),
    ("AccessionNumber", "A1", ["1"]),
    ("AccessionNumber", "a1", []),
    ("AccessionNumber", "A*", ["1", "2"]),
    ("AccessionNumber", "?2", ["2"]),
    ("00080050", "A2 ", ["2"]),
    ("ModalitiesInStudy", "SR", ["1"]),
    ("ModalitiesInStudy", "CT", ["1", "2"]),
    ("ModalitiesInStudy", "MR,SR", ["1", "3"]),
    ("ModalitiesInStudy", "M\\SR", ["1"]),
    ("ModalitiesInStudy", "?R", ["1", "3"]),
    ("ModalitiesInStudy", "C*R", []),
    ("ModalitiesInStudy", "CT,SR,", ["1", "2"]),
    ("ReferringPhysicianName", "Müller^Anna", ["1"]),
    ("ReferringPhysicianName", "MULLER^*", ["1", "2", "3"]),
    ("ReferringPhysicianName", "Mu*^B?n", ["2", "3"]),
    ("ReferringPhysicianName", "Muller", []),
    ("PatientName", "Lindqvist^Åsa", ["1"]),
    ("PatientName", "lindqvist^asa", ["1"]),
    ("PatientName", "Lind*", ["1"]),
    ("PatientName", "Lindqvist", []),
    ("PatientName", "L*^?s*", ["1"]),
    ("PatientName", "*^Ming", ["2", "3"]),
    ("PatientName", "Li^Ming", ["2", "3"]),
    ("PatientName", "李*", ["2", "3"]),
    ("PatientName", "李^明", ["2", "3"]),
    ("PatientName", "Li^Ming=李^明", ["2", "3"]),
    ("PatientName", "Ming*", []),
    ("PatientID", "P1", ["1"]),
    ("00100020", "P?", ["1", "2", "3"]),
    ("PatientID", "P", []),
    ("IssuerOfPatientID", "w*", ["1"]),
    ("PatientBirthDate", "19700203", ["1"]),
    ("PatientBirthDate", "1970010-", None),
    ("PatientBirthDate", "19700101-19701231", ["1"]),
    ("PatientSex", "M", ["2", "3"]),
    ("StudyInstanceUID", "1.1", ["1"]),
    ("StudyInstanceUID", "1.1,1.3", ["1", "3"]),
    ("StudyInstanceUID", "1.1\\1.2", ["1", "2"]),
    ("StudyInstanceUID", "1.*", None),
    ("StudyID", "S2", ["2", "3"]),
    ("StudyID", "S*", ["1", "2", "3"]),
    ("StudyDescription", "*CT", ["1"]),
    ("StudyDate", "", ["1", "2", "3"]),
    ("PatientName", "*", ["1", "2", "3"]),
    ("PatientName", "", ["1", "2", "3"]),
]


@pytest.mark.parametrize(("key", "value", "studies"), STUDY_KEYS)
def test_study_keys(api: APIClient, archive: None, key: str, value: str, studies: list[str] | None) -> None:
    if studies is None:
        answer = api.get("/dicom-web/studies", {key: value})
        assert answer.status_code == 400
        assert key in answer.json()["detail"]
        return
    assert found(api, "studies", **{key: value}) == studies
    relational = found(api, "instances", **{key: value})
    assert sorted({uid.split(".")[0] for uid in relational}) == studies
    assert sorted({uid.split(".")[0] for uid in found(api, "series", **{key: value})}) == studies


@pytest.mark.parametrize(
    ("key", "value", "series"),
    [
        ("Modality", "SR", ["1.2"]),
        ("Modality", "CT,MR", ["1.1", "2.1", "3.1"]),
        ("Modality", "?R", ["1.2", "3.1"]),
        ("SeriesInstanceUID", "1.1.2", ["1.2"]),
        ("SeriesNumber", "3", ["1.1"]),
        ("SeriesNumber", "0", ["2.1"]),
        ("SeriesDescription", "ax*", ["1.1"]),
        ("BodyPartExamined", "chest", ["1.1"]),
        ("PerformedProcedureStepStartDate", "20260101-20260103", ["1.1"]),
        ("PerformedProcedureStepStartTime", "1010", ["1.1"]),
        ("PerformedProcedureStepStartTime", "1011-", []),
        ("RequestAttributesSequence.ScheduledProcedureStepID", "step2", ["1.1"]),
        ("00400275.00400009", "step1", ["1.1"]),
        ("00400275.00401001", "proc*", ["1.1"]),
        ("RequestAttributesSequence.RequestedProcedureID", "none", []),
    ],
)
def test_series_keys(api: APIClient, archive: None, key: str, value: str, series: list[str]) -> None:
    assert found(api, "series", **{key: value}) == series
    assert sorted({uid.rsplit(".", 1)[0] for uid in found(api, "instances", **{key: value})}) == series
    within = [uid for uid in series if uid.startswith("1.")]
    assert found(api, "studies/1.1/series", **{key: value}) == within


@pytest.mark.parametrize(
    ("key", "value", "instances"),
    [
        ("SOPClassUID", SR, ["1.2.1"]),
        ("SOPInstanceUID", "1.1.1.1,1.1.1.2", ["1.1.1", "1.1.2"]),
        ("InstanceNumber", "2", ["1.1.2"]),
        ("InstanceNumber", "0", []),
        ("Rows", "2", ["1.1.1"]),
        ("Columns", "4", ["1.1.1"]),
        ("Rows", "0", []),
        ("BitsAllocated", "8", ["1.1.1"]),
        ("NumberOfFrames", "2", ["1.1.1"]),
        ("NumberOfFrames", "99999999999", None),
        ("InstanceNumber", "x", None),
    ],
)
def test_instance_keys(api: APIClient, archive: None, key: str, value: str, instances: list[str] | None) -> None:
    if instances is None:
        assert api.get("/dicom-web/instances", {key: value}).status_code == 400
        return
    assert found(api, "instances", **{key: value}) == instances
    assert found(api, "studies/1.1/instances", **{key: value}) == instances
    inside = [uid for uid in instances if uid.startswith("1.1.")]
    assert found(api, "studies/1.1/series/1.1.1/instances", **{key: value}) == inside


def test_keys_of_one_sequence_match_in_one_item(api: APIClient, archive: None) -> None:
    keys = ("RequestAttributesSequence.ScheduledProcedureStepID", "RequestAttributesSequence.RequestedProcedureID")
    assert found(api, "series", **dict(zip(keys, ("step1", "proc1"), strict=True))) == ["1.1"]
    assert found(api, "series", **dict(zip(keys, ("step1", "proc2"), strict=True))) == []


def test_ranges_of_date_and_time_are_one_range_of_moments(api: APIClient, archive: None) -> None:
    assert found(api, "studies", StudyDate="20260102-20260104", StudyTime="1100-0900") == ["2"]
    assert found(api, "studies", StudyDate="20260102-20260104", StudyTime="1000-0700") == ["1"]
    assert found(api, "studies", StudyDate="20260101-", StudyTime="0900-") == ["1", "2"]
    assert found(api, "studies", StudyDate="20260102", StudyTime="0900-1100") == ["1"]


def test_fuzzy_matching_by_the_starts_of_words(api: APIClient, archive: None) -> None:
    assert found(api, "studies", PatientName="asa lind", fuzzymatching="true") == ["1"]
    assert found(api, "studies", PatientName="ming", fuzzymatching="true") == ["2", "3"]
    assert found(api, "studies", PatientName="明", fuzzymatching="true") == ["2", "3"]
    assert found(api, "studies", PatientName="lind ming", fuzzymatching="true") == []
    assert found(api, "studies", ReferringPhysicianName="ann mull", fuzzymatching="true") == ["1"]
    assert found(api, "studies", PatientName="ming") == []


def test_empty_values_are_matched_if_asked(api: APIClient, archive: None) -> None:
    asked = {"emptyvaluematching": "true"}
    assert found(api, "studies", StudyDate=EMPTY, **asked) == ["3"]
    assert found(api, "studies", AccessionNumber=EMPTY, **asked) == ["3"]
    assert found(api, "studies", PatientBirthDate=EMPTY, **asked) == ["2", "3"]
    assert found(api, "series", SeriesNumber=EMPTY, **asked) == ["1.2", "3.1"]
    assert found(api, "instances", NumberOfFrames=EMPTY, StudyInstanceUID="1.1", **asked) == ["1.1.2", "1.2.1"]
    assert found(api, "studies", AccessionNumber=EMPTY) == []


def test_a_study_is_returned_with_all_its_attributes(api: APIClient, archive: None) -> None:
    (model,) = api.get("/dicom-web/studies?AccessionNumber=A1&includefield=all").json()
    values = {tag: element.get("Value") for tag, element in model.items()}
    assert values == {
        "00080005": ["ISO_IR 192"], "00080020": ["20260102"], "00080030": ["101500.25"], "00080050": ["A1"],
        "00080056": ["ONLINE"], "00080061": ["CT", "SR"], "00080090": [{"Alphabetic": "Müller^Anna"}],
        "00080201": ["+0100"], "00081030": ["Chest CT"], "00081190": ["http://testserver/dicom-web/studies/1.1"],
        "00100010": [{"Alphabetic": "Lindqvist^Åsa"}], "00100020": ["P1"], "00100021": ["ward"],
        "00100030": ["19700203"], "00100040": ["F"], "0020000D": ["1.1"], "00200010": ["S1"], "00201206": [2],
        "00201208": [3],
    }  # fmt: skip
    assert list(model) == sorted(model)


def test_required_attributes_of_each_level(api: APIClient, archive: None) -> None:
    usual = {level: {f"{a.tags[0]:08X}" for a in ATTRIBUTES if a.level is level and a.usual} for level in Level}
    (study, *_) = api.get("/dicom-web/studies").json()
    assert set(study) == usual[Level.STUDY] | {"00080005"}
    (series, *_) = api.get("/dicom-web/series").json()
    assert set(series) == usual[Level.STUDY] | usual[Level.SERIES] | {"00080005"}
    (_, series) = api.get("/dicom-web/studies/1.1/series").json()
    assert set(series) == usual[Level.SERIES] | {"00080005", "00080056", "00081190", "0020000D"}
    assert series["00400275"]["Value"][1]["00401001"]["Value"] == ["proc2"]
    assert series["00201209"]["Value"] == [2]
    (instance, *_) = api.get("/dicom-web/instances?SOPInstanceUID=1.1.1.1").json()
    assert set(instance) == set.union(*usual.values()) | {"00080005"}
    (instance, *_) = api.get("/dicom-web/studies/1.1/series/1.1.1/instances").json()
    assert set(instance) == usual[Level.INSTANCE] | {"00080005", "00080056", "00081190", "0020000D", "0020000E"}
    assert instance["00280010"]["Value"] == [2]
    assert api.get(instance["00081190"]["Value"][0] + "/metadata").status_code == 200
    (second,) = api.get("/dicom-web/studies/1.3/series").json()
    assert second["00200011"] == {"vr": "IS"}  # not 0: the file states none


def test_included_fields(api: APIClient, archive: None) -> None:
    answer = api.get("/dicom-web/studies/1.1/series?includefield=PatientName,00081030&includefield=OtherPatientIDs")
    assert answer.json()[0]["00100010"]["Value"] == [{"Alphabetic": "Lindqvist^Åsa"}]
    assert answer.json()[0]["00081030"]["Value"] == ["Chest CT"]
    assert "OtherPatientIDs" in answer.headers["Warning"]
    assert "00180015" not in answer.json()[0]
    assert "00180015" in api.get("/dicom-web/series?includefield=all").json()[0]


def test_paging_and_its_warning(api: APIClient, archive: None) -> None:
    everything = [model["0020000D"]["Value"][0] for model in api.get("/dicom-web/studies").json()]
    assert everything == ["1.2", "1.1", "1.3"]  # the newest first, without a date last
    pages = [api.get(f"/dicom-web/studies?limit=1&offset={offset}") for offset in range(4)]
    assert [page.status_code for page in pages] == [200, 200, 200, 204]
    assert [page.json()[0]["0020000D"]["Value"][0] for page in pages[:3]] == everything
    assert "Warning" not in pages[0].headers
    with patch("apps.imaging.dicom.query.DEFAULT_RESULTS", 1):
        capped = api.get("/dicom-web/studies?limit=")
        assert capped.headers["Warning"] == (
            '299 http://testserver/dicom-web "There are 2 additional results that can be requested"'
        )
    assert found(api, "studies", PatientName="Li^*", limit=1, offset=1) in (["2"], ["3"])
    assert api.get("/dicom-web/studies?limit=0").status_code == 204


def test_unknown_keys_are_ignored_with_a_warning(api: APIClient, archive: None) -> None:
    for key in ("SliceThickness", "00091001", "orderby", "Modality", "NumberOfStudyRelatedSeries"):
        answer = api.get("/dicom-web/studies", {key: "1"})
        assert len(answer.json()) == 3
        assert f"The attribute {key} is not supported for matching" in answer.headers["Warning"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1", "limit=²", "limit=1.5", "limit=x", "offset=-1", "offset=99999999999999999999",
        "fuzzymatching=maybe", "PatientName=%00", "0010001=x", "001000100=x", "PatientName.PatientID=x",
        "RequestAttributesSequence.=x",
        ".PatientID=x", "00400275.foo=x", "includefield=0010001", "StudyDate=2026", "StudyDate=20261301",
        "StudyDate=20260101-20260102-20260103", "StudyDate=-", "StudyDate=２０２６０１０１", "StudyTime=25",
        "StudyTime=1-2", "StudyTime=10:15", "StudyInstanceUID=a%20b", "StudyInstanceUID=,", "SeriesNumber=1,2",
        "AccessionNumber=A&AccessionNumber=B", "PatientName=" + "x" * 1025, "=x", "a b=x", "%E6%9D%8E=x",
        "StudyInstanceUID=" + "1" * 65,
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_with_advice(api: APIClient, archive: None, query: str) -> None:
    answer = api.get(f"/dicom-web/series?{query}")
    assert answer.status_code == 400, answer.content
    assert len(answer.content) > 30


def test_many_uids(api: APIClient, archive: None) -> None:
    some = ",".join(f"1.{number}" for number in range(4_000))
    assert found(api, "studies", StudyInstanceUID=some) == ["1", "2", "3"]
    many = ",".join(f"1.{number}" for number in range(10_000))
    answer = api.get("/dicom-web/studies", {"StudyInstanceUID": many})
    assert answer.status_code == 400
    assert "send several queries" in answer.json()["detail"]
    assert api.get("/dicom-web/studies?" + "&".join(f"x{n}=1" for n in range(500))).status_code == 200


def test_xml(api: APIClient, archive: None) -> None:
    accept = 'multipart/related; type="application/dicom+xml"'
    answer = api.get("/dicom-web/studies?PatientID=P2", headers={"accept": accept})
    assert answer.headers["Content-Type"].startswith('multipart/related; type="application/dicom+xml"')
    content = b"".join(answer)
    assert content.count(b"<NativeDicomModel") == 2
    assert "<FamilyName>李</FamilyName>".encode() in content
    assert api.get("/dicom-web/studies", headers={"accept": "text/html"}).status_code == 406


def test_others_patients_are_neither_returned_nor_counted(stranger: User, archive: None) -> None:
    other = APIClient()
    other.force_authenticate(stranger)
    for path in ("studies", "series", "instances", "studies/1.1/series", "studies/1.1/series/1.1.1/instances"):
        for query in ("", "?PatientID=P1", "?PatientName=Lind*", "?AccessionNumber=A1", "?StudyInstanceUID=1.1"):
            answer = other.get(f"/dicom-web/{path}{query}")
            assert answer.status_code == 204
            assert "additional" not in answer.headers.get("Warning", "")


def test_withdrawn_consent_hides(api: APIClient, doctor: User, archive: None) -> None:
    patient = Study.objects.get(study_instance_uid="1.1").patient
    record_consent(patient, Purpose.CARE, ConsentState.WITHDRAWN, actor=doctor)
    assert found(api, "studies") == ["2", "3"]
    assert found(api, "studies", PatientID="P1") == []


def test_a_search_is_audited_with_its_number_of_rows(api: APIClient, archive: None) -> None:
    api.get("/dicom-web/series?PatientID=P1")
    entry = AuditEntry.objects.filter(action="studies.searched").latest("pk")
    assert entry.facts == {"level": "series", "rows": 2}


def test_what_no_index_narrows_down_is_refused(api: APIClient, archive: None) -> None:
    with patch.object(search, "MAX_EXAMINED", 2):
        answer = api.get("/dicom-web/studies?PatientName=*sa")
        assert answer.status_code == 400
        assert "add a date range" in answer.json()["detail"]
        assert found(api, "studies", PatientName="*sa", StudyDate="20260101-20260131") == ["1"]
        assert found(api, "studies", PatientName="*sa", AccessionNumber="A1") == ["1"]


def test_many_namesakes_are_compared_after_the_preselection(api: APIClient, archive: None) -> None:
    with patch("apps.imaging.preselection.MAX_LISTED", 0):
        for key, value, studies in STUDY_KEYS:
            if studies is not None:
                assert found(api, "studies", **{key: value}) == studies, (key, value)
        assert found(api, "series", **{"00400275.00400009": "step1"}) == ["1.1"]


def test_the_number_of_statements_does_not_grow(api: APIClient, team: CareTeam) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            api.get("/dicom-web/studies")
        return len(queries)

    take_in(file_of("1"), team)
    statements()
    few = statements()
    for number in range(2, 12):
        take_in(file_of(str(number), PatientID=f"P{number}"), team)
    assert statements() <= few


def test_tokens_are_rebuilt_and_follow_later_series(api: APIClient, team: CareTeam) -> None:
    take_in(file_of("1", "1", AccessionNumber="A1", ReferringPhysicianName="王^芳"), team)
    later = file_of("1", "2", AccessionNumber="A1", RequestAttributesSequence=[request_item("late", "p")])
    take_in(later, team)
    assert found(api, "series", **{"00400275.00400009": "late"}) == ["1.2"]
    before = sorted(StudyToken.objects.values_list("kind", "token"))
    StudyToken.objects.all().delete()
    assert found(api, "studies", AccessionNumber="A1") == []
    study_tokens.reindex(lambda *_: None)
    assert sorted(StudyToken.objects.values_list("kind", "token")) == before
    assert found(api, "studies", ReferringPhysicianName="王*") == ["1"]
    Patient.objects.all().delete()
    assert not StudyToken.objects.exists()


@given(st.text(alphabet="ab*?^", max_size=12), st.text(alphabet="ab^", max_size=12))
def test_wildcards_match_as_regular_expressions_do(pattern: str, text: str) -> None:
    import re

    expression = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)
    assert glob(pattern, text) == bool(re.fullmatch(expression, text, re.DOTALL))


def test_many_wildcards_cost_little() -> None:
    assert not glob("*a" * 500 + "b", "a" * 5_000)
    assert name_matches("*" * 1_000 + "z", "a^z")


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=4))
def test_no_query_breaks_the_parser(pairs: list[tuple[str, str]]) -> None:
    for level in Level:
        try:
            parse_query(pairs, level)
        except InvalidQuery as error:
            assert str(error)


def test_a_common_modality_goes_by_the_order_of_results(api: APIClient, archive: None) -> None:
    with patch("apps.imaging.preselection.MAX_LISTED", 0):
        assert found(api, "series", Modality="CT,MR") == ["1.1", "2.1", "3.1"]
        assert found(api, "instances", Modality="SR") == ["1.2.1"]
        assert found(api, "studies/1.1/series", Modality="SR") == ["1.2"]

"""The site's own derived objects: of the same patient and study as their source, in any character set."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from apps.accounts.models import CareTeam
from apps.explainability.drawing.dicom import ObjectDescription, parametric_map, secondary_capture
from apps.imaging.dicom.derived import in_unicode
from apps.imaging.dicom.parser import Unreadable, open_object
from apps.imaging.models import Instance, Outcome
from apps.imaging.queries import header_of
from apps.reports.export.sr import Signed, structured_report
from tests.factories import film_file, take_in
from tests.imaging.real_files import paths

DESCRIPTION = ObjectDescription("Pneumonia", "chest-film 1", "explanation/1")
SIGNED = Signed("郑伟", "市立医院", datetime(2026, 3, 2, 9, tzinfo=UTC), True, "version 1")
SECTIONS = {"findings": "右下肺叶实变 (Größe 3 cm, ≥ 2 cm).", "impression": "肺炎"}


def report(*headers: Dataset) -> bytes:
    return structured_report(headers, SECTIONS, [("CRP", 24.0, "mg/L", "")], SIGNED)


def capture(header: Dataset) -> bytes:
    return secondary_capture(header, np.zeros((8, 8, 3), np.uint8), DESCRIPTION)


def value_map(header: Dataset) -> bytes:
    return b"".join(parametric_map([header], np.ones((1, 2, 2), np.float32), DESCRIPTION).chunks)


MAKERS = [report, capture, value_map]


def named(name: str, characters: str | list[str], **changes: str) -> bytes:
    """A film of a patient whose name is written in a character set."""
    film = pydicom.dcmread(io.BytesIO(film_file(7, mrn=f"N-{name}", name=name, issuer="HOSPITAL-A")))
    film.SpecificCharacterSet = characters
    film.OtherPatientNames = name
    film.ReferringPhysicianName = name
    film.PatientComments = "Grüße" if characters == "ISO_IR 100" else "plain"
    for keyword, value in changes.items():
        setattr(film, keyword, value)
    buffer = io.BytesIO()
    film.save_as(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize(
    ("name", "characters"),
    [
        ("Müller^Jörg", "ISO_IR 100"),
        ("Παπαδόπουλος^Νίκος", "ISO_IR 126"),
        ("Люкceмбypг", "ISO_IR 144"),
        ("Wang^XiaoDong=王^小东=", "GB18030"),
        ("Hong^Gildong=洪^吉洞=홍^길동", ["", "ISO 2022 IR 149"]),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", ["", "ISO 2022 IR 87"]),
        ("Łukasz^Ćwik", "ISO_IR 101"),
        ("محمد^علي", "ISO_IR 192"),
    ],
)
def test_derived_objects_are_filed_with_their_source(
    team: CareTeam, make: object, name: str, characters: str | list[str]
) -> None:
    source = take_in(named(name, characters), team).instance
    assert source is not None
    made = make(header_of(source))  # type: ignore[operator]
    received = take_in(made, team)
    assert received.outcome == Outcome.STORED, received.code
    assert received.instance and received.instance.series.study == source.series.study
    assert received.instance.series.study.patient.name == source.series.study.patient.name
    document = pydicom.dcmread(io.BytesIO(made))
    assert document.SpecificCharacterSet == "ISO_IR 192"
    assert document.IssuerOfPatientID == "HOSPITAL-A"
    for keyword in ("PatientName", "OtherPatientNames", "ReferringPhysicianName"):
        assert str(document[keyword].value).rstrip("=") == name.rstrip("="), keyword


def test_a_report_in_chinese_keeps_its_text_beside_images_in_latin_1(team: CareTeam) -> None:
    source = take_in(named("Müller^Jörg", "ISO_IR 100"), team).instance
    assert source is not None
    made = report(header_of(source))
    assert pydicom.dcmread(io.BytesIO(made)).SpecificCharacterSet == "ISO_IR 192"
    for words in (*SECTIONS.values(), SIGNED.name, SIGNED.organisation, "Müller^Jörg", "Grüße"):
        assert words.encode() in made, words


def test_text_that_is_not_declared_is_read_as_everywhere_else(team: CareTeam) -> None:
    """UTF-8 without Specific Character Set: the record's name and the derived object's are the same."""
    film = pydicom.dcmread(io.BytesIO(film_file(8, mrn="UNDECLARED", name="王^小东")))
    film.SpecificCharacterSet = "ISO_IR 192"
    buffer = io.BytesIO()
    film.save_as(buffer)
    content = buffer.getvalue().replace(b"ISO_IR 192", b"ISO_IR 6  ")
    source = take_in(content, team).instance
    assert source is not None
    received = take_in(capture(header_of(source)), team)
    assert received.outcome == Outcome.STORED, received.code


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_values_that_the_standard_does_not_define_are_kept(team: CareTeam, make: object) -> None:
    odd = {"PatientSex": "U", "PatientBirthDate": "1960.05", "StudyTime": "9:30", "StudyDate": "2026"}
    source = take_in(named("Odd^One", "ISO_IR 100", **odd), team).instance
    assert source is not None
    made = make(header_of(source))  # type: ignore[operator]
    assert take_in(made, team).outcome == Outcome.STORED
    document = pydicom.dcmread(io.BytesIO(made))
    assert {keyword: document[keyword].value for keyword in odd} == odd


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("sop_class", ["1.2.840.10008.5.1.4.1.1.6", "1.2.840.113619.4.26"], ids=["retired", "private"])
def test_sources_of_any_class_are_referenced_by_it(team: CareTeam, make: object, sop_class: str) -> None:
    source = take_in(named("Any^Class", "ISO_IR 100", SOPClassUID=sop_class), team).instance
    assert source is not None
    document = pydicom.dcmread(io.BytesIO(make(header_of(source))))  # type: ignore[operator]
    text = document.to_json()
    assert document.SOPClassUID != "1.2.840.10008.5.1.4.1.1.7" or make is capture
    if make is not capture:
        assert text.count(sop_class) >= 1
        assert '"1.2.840.10008.5.1.4.1.1.7"' not in text


def test_a_copy_in_unicode_leaves_its_source_alone() -> None:
    header = pydicom.dcmread(io.BytesIO(named("Müller^Jörg", "ISO_IR 100")), stop_before_pixels=True)
    assert in_unicode(header).SpecificCharacterSet == "ISO_IR 192"
    assert header.SpecificCharacterSet == "ISO_IR 100" and header.PatientName == "Müller^Jörg"


def test_objects_derived_from_real_files_are_filed_with_them(team: CareTeam) -> None:
    """Of every class and age, whatever their headers lack."""
    tried = 0
    for path in paths():
        content = path.read_bytes()
        try:
            if not open_object(io.BytesIO(content)).frames:
                continue
        except Unreadable:
            continue
        received = take_in(content, team)
        if received.outcome != Outcome.STORED:
            continue
        assert received.instance is not None
        header = header_of(received.instance)
        for make in (report, capture):
            derived = take_in(make(header), team)
            assert derived.instance is not None, (path.name, make.__name__, derived.code)
            same = derived.instance.series.study_id == received.instance.series.study_id
            assert same, (path.name, make.__name__)
            Instance.objects.filter(pk=derived.instance.pk).delete()
        tried += 1
    assert tried > 20

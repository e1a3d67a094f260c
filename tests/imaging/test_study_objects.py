"""Objects of a study that are no images: what they are, how they open, and that the viewer leaves them out."""

from __future__ import annotations

import io
from pathlib import Path

import pydicom
import pytest
from django.test import Client
from django.urls import reverse
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.sequence import Sequence
from pydicom.uid import BasicTextSRStorage, EncapsulatedPDFStorage

from apps.accounts.models import CareTeam, User
from apps.imaging.dicom.content_tree import MAX_DEPTH, MAX_ITEMS, read_document
from apps.imaging.models import Instance, Study
from apps.imaging.sop_classes import kind_of
from apps.imaging.study_objects import image_counts, objects_of, undrawable
from tests.factories import film_file, take_in
from tests.imaging.files import beside, changed


def text_item(text: str, *children: Dataset) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType, item.TextValue = "CONTAINS", "TEXT", text
    name = Dataset()
    name.CodeValue, name.CodingSchemeDesignator, name.CodeMeaning = "121071", "DCM", "Finding"
    item.ConceptNameCodeSequence = Sequence([name])
    if children:
        item.ContentSequence = Sequence(children)
    return item


@pytest.fixture
def study(team: CareTeam) -> Study:
    film = film_file(1)
    instance = take_in(film, team).instance
    assert instance
    take_in(
        beside(film, EncapsulatedPDFStorage, Modality="DOC", EncapsulatedDocument=b"%PDF-1.4 ", SeriesNumber=3), team
    )
    report = beside(film, BasicTextSRStorage, Modality="SR", SeriesInstanceUID="1.2.8", SeriesNumber=2)
    take_in(
        changed(report, ContentSequence=Sequence([text_item("<b>No</b> 气胸")]), SpecificCharacterSet="ISO_IR 192"),
        team,
    )
    return instance.series.study


def test_the_study_page_lists_what_is_no_image(study: Study, browser_client: Client) -> None:
    page = browser_client.get(reverse("portal:study", args=[study.study_instance_uid])).content.decode()
    assert "Other objects of this study" in page and "PDF document" in page and "Report" in page
    listed = objects_of(study).listed
    assert [row.kind for row in listed] == ["Report", "PDF document"]
    assert [bool(row.text) for row in listed] == [True, False]
    document = browser_client.get(listed[1].document, headers={"Accept": "text/html,*/*;q=0.8"})
    assert document["Content-Type"] == "application/pdf"
    assert document.content.startswith(b"%PDF-1.4")
    for row in listed:
        answer = browser_client.get(row.download, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert answer.status_code == 200 and answer["Content-Type"].startswith("application/dicom")
        assert answer.content[128:132] == b"DICM"


def test_the_viewer_gets_series_with_images_alone(study: Study, browser_client: Client) -> None:
    manifest = browser_client.get(reverse("portal:manifest", args=[study.study_instance_uid])).json()
    assert [series["modality"] for series in manifest["series"]] == ["DX"]
    assert manifest["series"][0]["hidden"] == []
    assert image_counts(study) == {manifest["series"][0]["uid"]: 1}


def test_an_image_with_a_problem_is_said_in_place_and_left_out(study: Study, browser_client: Client) -> None:
    row = Instance.objects.get(series__modality="DX")
    Instance.objects.filter(pk=row.pk).update(problem="undecodable")
    page = browser_client.get(reverse("portal:study", args=[study.study_instance_uid])).content.decode()
    assert "the compressed pixel data are damaged" in page
    assert undrawable(study)[row.series.series_instance_uid] == [row.sop_instance_uid]
    manifest = browser_client.get(reverse("portal:manifest", args=[study.study_instance_uid])).json()
    assert manifest["series"] == []


def test_an_image_object_without_pixels_is_said_to_have_none(study: Study, team: CareTeam) -> None:
    film = pydicom.dcmread(io.BytesIO(film_file(1)))
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated"):
        delattr(film, keyword)
    film.SOPInstanceUID = "1.2.3.99"
    buffer = io.BytesIO()
    film.save_as(buffer)
    assert take_in(buffer.getvalue(), team).instance
    row = next(row for row in objects_of(study).listed if row.instance.sop_instance_uid == "1.2.3.99")
    assert "holds no pixel data" in row.problem
    assert [row.problem for row in objects_of(study).listed if row.kind == "Report"] == [""]


@pytest.mark.parametrize("code", ["unsupported_transfer_syntax", "frame_too_large", "video", "bad_dimensions"])
def test_every_problem_can_be_said(study: Study, code: str) -> None:
    Instance.objects.filter(series__modality="DX").update(problem=code)
    assert any(row.problem for row in objects_of(study).listed)


def test_a_report_is_read_as_text(study: Study, browser_client: Client) -> None:
    url = objects_of(study).listed[0].text
    page = browser_client.get(url).content.decode()
    assert "Finding" in page and "气胸" in page
    assert "<b>No</b>" not in page and "&lt;b&gt;No" in page


def test_who_may_read_a_report(study: Study, stranger: User, browser_client: Client) -> None:
    url = objects_of(study).listed[0].text
    client = Client()
    client.force_login(stranger)
    assert client.get(url).status_code == 404
    film = Instance.objects.get(series__modality="DX")
    other = reverse("imaging:report", args=[study.study_instance_uid, film.sop_instance_uid])
    assert browser_client.get(other).status_code == 404


@pytest.mark.parametrize(
    ("name", "says"),
    [("test-SR.dcm", ["Diameter", "Riesmeier", "Sample Code 1"]), ("reportsi.dcm", ["Recording Observer"])],
)
def test_real_reports_are_read(name: str, says: list[str], team: CareTeam, browser_client: Client) -> None:
    content = changed(Path(get_testdata_file(name)).read_bytes(), PatientID="SR-1")
    instance = take_in(content, team).instance
    assert instance
    study_uid = instance.series.study.study_instance_uid
    url = reverse("imaging:report", args=[study_uid, instance.sop_instance_uid])
    page = browser_client.get(url).content.decode()
    assert all(text in page for text in says)
    assert browser_client.get(reverse("portal:study", args=[study_uid])).status_code == 200


def test_a_number_has_its_unit() -> None:
    document = read_document(pydicom.dcmread(get_testdata_file("test-SR.dcm")))
    item = next(item for item in document.items if item.value_type == "NUM")
    assert item.concept and item.unit
    assert (item.concept.meaning, item.value, item.unit.value) == ("Diameter", "3", "cm")
    assert document.flags == ("COMPLETE", "VERIFIED") and document.complete


def test_a_tree_of_any_depth_and_size_is_read_to_its_bounds() -> None:
    deep = text_item("bottom")
    for number in range(60):
        deep = text_item(str(number), deep)
    dataset = Dataset()
    dataset.ContentSequence = Sequence([deep])
    document = read_document(dataset)
    assert len(document.items) == MAX_DEPTH and not document.complete
    dataset.ContentSequence = Sequence([text_item(str(number)) for number in range(MAX_ITEMS + 1)])
    document = read_document(dataset)
    assert len(document.items) == MAX_ITEMS and not document.complete


def test_a_report_without_content_or_with_nonsense_is_read() -> None:
    assert read_document(Dataset()).items == ()
    dataset = Dataset()
    item = Dataset()
    item.ValueType, item.MeasuredValueSequence = "NUM", Sequence([])
    dataset.ContentSequence = Sequence([item, Dataset()])
    assert [item.value for item in read_document(dataset).items] == ["", ""]


@pytest.mark.parametrize(
    ("uid", "kind"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", "Images"),
        ("1.2.840.10008.5.1.4.1.1.88.33", "Report"),
        ("1.2.840.10008.5.1.4.1.1.88.59", "Key object selection"),
        ("1.2.840.10008.5.1.4.1.1.481.3", "Structure set"),
        ("1.2.840.10008.5.1.4.1.1.481.5", "Radiotherapy plan"),
        ("1.2.840.10008.5.1.4.1.1.481.2", "Radiotherapy dose"),
        ("1.2.840.10008.5.1.4.1.1.9.1.1", "Electrocardiogram"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "Presentation state"),
        ("1.2.840.10008.5.1.4.1.1.77.1.4.1", "Video"),
        ("1.2.840.10008.5.1.4.1.1.66.4", "Segmentation"),
        ("1.2.3.4", "DICOM object of an unknown kind"),
    ],
)
def test_a_sop_class_is_named_in_words(uid: str, kind: str) -> None:
    assert kind_of(uid) == kind

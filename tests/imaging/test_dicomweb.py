from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from django.urls import reverse
from pydicom.data import get_testdata_file
from rest_framework.test import APIClient

from apps.accounts.models import CareTeam, User
from apps.imaging.dicom.attributes import read_attributes
from apps.imaging.dicom.multipart import boundary_of, parts
from apps.imaging.dicom.parser import Unreadable, open_object
from apps.imaging.models import Instance
from tests.factories import film_file, film_pixels, related, take_in
from tests.imaging.test_round_trip import FILES, path_of


def frames_of(answer: object) -> list[bytes]:
    """The parts of a multipart/related answer."""
    boundary = boundary_of(answer.headers["Content-Type"])  # type: ignore[attr-defined]
    body = io.BytesIO(b"".join(answer))  # type: ignore[attr-defined]
    contents = []
    for part in parts(body, boundary, max_bytes=2**30):
        with part:
            contents.append(part.content.read())
    return contents


def store(api: APIClient, *files: bytes) -> object:
    body, content_type = related(*files)
    return api.post("/dicom-web/studies", data=body, content_type=content_type)


def test_stow_stores_and_answers_per_instance(api: APIClient) -> None:
    answer = store(api, film_file(1), film_file(2))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/dicom+json")
    references = answer.json()["00081199"]["Value"]
    assert len(references) == 2
    url = references[0]["00081190"]["Value"][0]
    assert api.get(f"{url}/metadata").status_code == 200


def test_stow_tells_failures_apart(api: APIClient) -> None:
    answer = store(api, film_file(1), b"no dicom here " * 30, film_file(2, name="Somebody^Else"))
    assert answer.status_code == 202
    failed = answer.json()["00081198"]["Value"]
    assert [item["00081197"]["Value"][0] for item in failed] == [0xC000, 0x0110]
    assert "not a DICOM file" in failed[0]["00000902"]["Value"][0]
    assert store(api, b"no dicom here " * 30).status_code == 409


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"x", "application/json", 415),
        (b"x", "multipart/related", 400),
        (b"garbage", "multipart/related; boundary=B", 400),
        (b"", "multipart/related; boundary=B", 400),
    ],
)
def test_a_body_that_is_not_multipart_is_refused(api: APIClient, body: bytes, content_type: str, status: int) -> None:
    answer = api.post("/dicom-web/studies", data=body, content_type=content_type)
    assert answer.status_code == status


def test_a_body_cut_off_keeps_what_was_whole(api: APIClient) -> None:
    body, content_type = related(film_file(1), film_file(2))
    answer = api.post("/dicom-web/studies", data=body[:-5000], content_type=content_type)
    assert answer.status_code == 202
    assert Instance.objects.count() == 1


def test_metadata_and_frames_give_the_film_back(api: APIClient, team: CareTeam) -> None:
    instance = take_in(film_file(), team).instance
    assert instance
    study = instance.series.study.study_instance_uid
    (metadata,) = api.get(reverse("dicomweb:study-metadata", args=[study])).json()
    assert metadata["00100010"]["Value"][0]["Alphabetic"] == "Lindqvist^Åsa"
    assert "InlineBinary" not in metadata["7FE00010"]
    answer = api.get(metadata["7FE00010"]["BulkDataURI"] + "/1")
    (frame,) = frames_of(answer)
    assert np.array_equal(np.frombuffer(frame, "<u2").reshape(256, 256), film_pixels())


def test_several_frames_and_wrong_numbers(api: APIClient, team: CareTeam) -> None:
    content = Path(get_testdata_file("examples_ybr_color.dcm", download=False) or "").read_bytes()
    instance = take_in(content, team).instance
    assert instance and instance.frames == 30
    series = instance.series
    base = [series.study.study_instance_uid, series.series_instance_uid, instance.sop_instance_uid]
    assert len(frames_of(api.get(reverse("dicomweb:frames", args=[*base, "1,30"])))) == 2
    for wrong in ("0", "31", "x", "1,31", ","):
        assert api.get(reverse("dicomweb:frames", args=[*base, wrong])).status_code == 404


def test_twelve_bit_jpeg_is_sent_decoded(api: APIClient, team: CareTeam) -> None:
    path = get_testdata_file("JPGExtended.dcm", download=False) or get_testdata_file("JPEG-lossy.dcm", download=False)
    assert path
    dataset = pydicom.dcmread(path)
    dataset.PatientID = "J"
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    instance = take_in(buffer.getvalue(), team).instance
    assert instance and instance.transfer_syntax_uid == "1.2.840.10008.1.2.4.51"
    (metadata,) = api.get(reverse("dicomweb:study-metadata", args=[instance.series.study.study_instance_uid])).json()
    assert metadata["00083002"]["Value"] == ["1.2.840.10008.1.2.1"]
    (frame,) = frames_of(api.get(metadata["7FE00010"]["BulkDataURI"] + "/1"))
    assert np.array_equal(np.frombuffer(frame, "<u2").reshape(dataset.Rows, dataset.Columns), dataset.pixel_array)


def test_tokens_open_dicomweb_too(doctor: User, team: CareTeam) -> None:
    instance = take_in(film_file(), team).instance
    assert instance
    url = reverse("dicomweb:study-metadata", args=[instance.series.study.study_instance_uid])
    assert APIClient().get(url).status_code == 401


ANY_SYNTAX = 'multipart/related; type="application/dicom"; transfer-syntax=*'


def whole_files() -> list[bytes]:
    """One file for each SOP Instance UID among the real ones that can be filed."""
    found: dict[str, bytes] = {}
    for name in FILES:
        content = path_of(name).read_bytes()
        try:
            attributes = read_attributes(open_object(io.BytesIO(content)).header)
        except Unreadable:
            continue
        if attributes.patient_id:
            found.setdefault(attributes.sop_instance_uid, content)
    return list(found.values())


def test_every_file_goes_out_as_it_came(api: APIClient) -> None:
    """Stored by STOW-RS and retrieved as stored: each byte; in the default syntax: the same data set."""
    for content in whole_files():
        answer = store(api, content)
        stored = answer.json().get("00081199")
        if stored is None:  # another patient under the same Patient ID, or other content under the same UID
            assert answer.status_code == 202, answer.json()
            continue
        url = stored["Value"][0]["00081190"]["Value"][0]
        (same,) = frames_of(api.get(url, HTTP_ACCEPT=ANY_SYNTAX))
        if content[128:132] == b"DICM":
            assert same == content
        answer = api.get(url)
        if answer.status_code == 406:
            assert Instance.objects.get(sop_instance_uid=url.rsplit("/", 1)[-1]).problem
            continue
        (converted,) = frames_of(answer)
        check_same_data_set(content, converted, answer.headers["Content-Type"])


def check_same_data_set(content: bytes, converted: bytes, content_type: str) -> None:
    """Elements are equal but for what converting the pixels changes; samples are equal exactly."""
    before, after = (pydicom.dcmread(io.BytesIO(file), force=True) for file in (content, converted))
    changed = {"PixelData", "FloatPixelData", "DoubleFloatPixelData", "PlanarConfiguration", "BitsAllocated"}
    changed |= {"PhotometricInterpretation", "LossyImageCompression"}
    for element in before:
        # Group lengths are retired (PS3.5 section 7.2).
        if element.keyword in changed or element.tag.element == 0 or element.VR in ("SQ", "UN"):
            continue
        assert element.tag in after and after[element.tag].value == element.value, element.tag
    if "PixelData" in before and before.file_meta.get("TransferSyntaxUID"):
        try:
            samples = before.pixel_array
        except Exception:
            return
        assert np.array_equal(samples, after.pixel_array)

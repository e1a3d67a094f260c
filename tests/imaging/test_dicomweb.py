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
from apps.imaging.dicom.element_values import little_endian
from apps.imaging.dicom.multipart import boundary_of, parts
from apps.imaging.dicom.parser import Unreadable, open_object
from apps.imaging.models import Instance
from apps.protection import blobs
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
    """One file for each kind of pixels and SOP class among the real ones that can be filed."""
    found: dict[tuple[object, ...], bytes] = {}
    for name in FILES:
        content = path_of(name).read_bytes()
        try:
            dicom = open_object(io.BytesIO(content))
            attributes = read_attributes(dicom.header)
        except Unreadable:
            continue
        kind = (dicom.layout.transfer_syntax, dicom.layout.pixel_tag, dicom.frames > 1, attributes.photometric)
        bits = (dicom.header.get("BitsAllocated"), dicom.header.get("PixelRepresentation"))
        if attributes.patient_id:
            found.setdefault((*kind, *bits, "" if dicom.frames else attributes.sop_class_uid), content)
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
        value = element.value
        if isinstance(value, bytes) and not before.original_encoding[1]:
            value = little_endian(value, element.VR, stored_little=False)  # pydicom leaves big-endian words as they are
        assert element.tag in after and after[element.tag].value == value, element.tag
    if "PixelData" in before and before.file_meta.get("TransferSyntaxUID"):
        try:
            samples = before.pixel_array
        except Exception:
            return
        assert np.array_equal(samples, after.pixel_array)


LONG = "-" * 27 + "x" * 46  # 73 characters, as Orthanc sends


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ('multipart/related; type="application/dicom"; boundary={}', "B"),
        ("multipart/related; type=application/dicom; boundary={}", LONG),
        ('multipart/related; boundary="{}"; type="application/dicom"', "with space"),
        ('Multipart/Related;BOUNDARY="{}"', "'()+_,-./:=?"),
        ('multipart/related; type="application/dicom"; start="<1>"; boundary={}', "---------------------------f0d9ae2"),
    ],
)
@pytest.mark.parametrize("before", [b"", b"\r\n", b"This is a message of several parts.\r\n"])
@pytest.mark.parametrize("after", [b"", b"\r\n", b"\r\nepilogue"])
def test_bodies_as_clients_write_them(
    api: APIClient, content_type: str, boundary: str, before: bytes, after: bytes
) -> None:
    """Reported elsewhere: dicomweb-client #30, DICOMcloud #12, dcm4che #415 (quotes), dcm4chee-arc-light #194."""
    head = b"Content-Type: application/dicom\r\nContent-Length: 7\r\nMIME-Version: 1.0\r\n\r\n"
    line = b"--" + boundary.encode()
    body = before + line + b"\r\n" + head + film_file() + b"\r\n" + line + b"--" + after
    answer = api.post("/dicom-web/studies", data=body, content_type=content_type.format(boundary))
    assert answer.status_code == 200, answer.content
    assert Instance.objects.count() == 1


def test_one_file_as_the_whole_body_is_taken(api: APIClient) -> None:
    assert api.post("/dicom-web/studies", data=film_file(), content_type="application/dicom").status_code == 200
    assert Instance.objects.count() == 1


def test_one_instance_comes_without_multipart_where_that_is_asked(api: APIClient, team: CareTeam) -> None:
    """Reported elsewhere: ImagingDataCommons/dicomweb-client #41."""
    instance = take_in(film_file(), team).instance
    assert instance
    url = reverse("dicomweb:instance", args=uids(instance))
    answer = api.get(url, HTTP_ACCEPT="application/dicom; transfer-syntax=*")
    assert answer.headers["Content-Type"].startswith("application/dicom;")
    assert b"".join(answer) == film_file()
    study = reverse("dicomweb:study", args=uids(instance)[:1])
    assert api.get(study, HTTP_ACCEPT="application/dicom").status_code == 406


def uids(instance: Instance) -> list[str]:
    series = instance.series
    return [series.study.study_instance_uid, series.series_instance_uid, instance.sop_instance_uid]


def test_a_study_takes_its_own_instances_only(api: APIClient) -> None:
    body, content_type = related(film_file(1))
    wrong = api.post("/dicom-web/studies/1.2.3", data=body, content_type=content_type)
    assert wrong.status_code == 409
    assert wrong.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0xA900]
    study = pydicom.dcmread(io.BytesIO(film_file(1))).StudyInstanceUID
    right = api.post(f"/dicom-web/studies/{study}", data=body, content_type=content_type)
    assert right.status_code == 200 and right.json()["00081190"]["Value"][0].endswith(f"/studies/{study}")


def test_a_file_that_cannot_be_shown_is_stored_with_a_warning(api: APIClient) -> None:
    dataset = pydicom.dcmread(io.BytesIO(film_file()))
    dataset.Rows = 0
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    answer = store(api, buffer.getvalue())
    (item,) = answer.json()["00081199"]["Value"]
    assert answer.status_code == 202 and item["00081196"]["Value"] == [0xB007]
    assert "cannot be displayed" in item["00000902"]["Value"][0]
    (file,) = frames_of(api.get(item["00081190"]["Value"][0], HTTP_ACCEPT=ANY_SYNTAX))
    assert file == buffer.getvalue()


@pytest.mark.parametrize("media_type", ["application/dicom+json", "application/dicom+xml"])
@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small_bigendian.dcm", "test-SR.dcm", "JPEG2000.dcm", "SC_rgb_jpeg_dcmtk.dcm"]
)
def test_metadata_and_bulk_data_store_what_they_were_made_of(
    api: APIClient, team: CareTeam, media_type: str, name: str
) -> None:
    """What is retrieved as metadata and bulk data can be stored as such and is the same data set."""
    content = path_of(f"pydicom:test_files/{name}").read_bytes()
    dataset = pydicom.dcmread(io.BytesIO(content))
    dataset.PatientID = dataset.get("PatientID") or "M"
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    instance = take_in(buffer.getvalue(), team).instance
    assert instance
    base = reverse("dicomweb:instance", args=uids(instance))
    is_json = media_type.endswith("json")
    answer = api.get(f"{base}/metadata", HTTP_ACCEPT=media_type)
    assert answer.status_code == 200
    metadata = answer.content.replace(instance.sop_instance_uid.encode() + b'"]', b'2.25.1"]')
    metadata = metadata.replace(f">{instance.sop_instance_uid}<".encode(), b">2.25.1<")
    bulk = {}
    if instance.frames:
        uri = f"http://testserver{base}/frames"
        frame = api.get(f"{base}/frames/1", HTTP_ACCEPT='multipart/related; type="*/*"; transfer-syntax=*')
        bulk[uri] = (frame.headers["Content-Type"], frames_of(frame)[0])
    parts = [(media_type, "", metadata)]
    for uri, (described, value) in bulk.items():
        syntax = described.partition("transfer-syntax=")[2].partition(";")[0]
        kind = described.partition('type="')[2].partition('"')[0]
        parts.append((f"{kind}; transfer-syntax={syntax}", uri, value))
    body = b""
    for kind, location, value in parts:
        body += f"--B\r\nContent-Type: {kind}\r\nContent-Location: {location}\r\n\r\n".encode() + value + b"\r\n"
    kind = f'multipart/related; type="{media_type}"; boundary=B'
    stored = api.post("/dicom-web/studies", data=body + b"--B--\r\n", content_type=kind)
    assert stored.status_code == 200, stored.content
    assert is_json or media_type.endswith("xml")
    again = Instance.objects.get(sop_instance_uid="2.25.1")
    (file,) = frames_of(api.get(reverse("dicomweb:instance", args=uids(again)), HTTP_ACCEPT=ANY_SYNTAX))
    after = pydicom.dcmread(io.BytesIO(file))
    after.SOPInstanceUID = dataset.SOPInstanceUID
    for element in dataset:
        skipped = element.tag.element == 0 or element.keyword in ("SpecificCharacterSet", "PixelData")
        if not skipped and element.VR not in ("SQ", "UN", "DS"):
            assert after[element.tag].value == element.value, element.tag
    if instance.frames:
        assert np.array_equal(after.pixel_array, dataset.pixel_array)


@pytest.mark.parametrize(
    "metadata",
    [b"", b"[", b"{}", b'[{"00100010": 7}]', b"[" * 100_000, b'[{"7FE00010":{"vr":"OW","BulkDataURI":"nowhere"}}]'],
)
def test_broken_metadata_are_told(api: APIClient, metadata: bytes) -> None:
    body = b"--B\r\nContent-Type: application/dicom+json\r\n\r\n" + metadata + b"\r\n--B--\r\n"
    answer = api.post(
        "/dicom-web/studies", data=body, content_type='multipart/related; type="application/dicom+json"; boundary=B'
    )
    assert answer.status_code in (400, 409), answer.content
    assert not Instance.objects.exists()


def test_pixel_data_of_each_level_are_its_frames(api: APIClient, team: CareTeam) -> None:
    cine = take_in(path_of("pydicom:test_files/examples_ybr_color.dcm").read_bytes(), team).instance
    plan = take_in(path_of("pydicom:test_files/rtplan.dcm").read_bytes(), team).instance
    assert cine and plan
    for depth, name in enumerate(("study", "series", "instance"), start=1):
        answer = api.get(reverse(f"dicomweb:{name}-pixel-data", args=uids(cine)[:depth]))
        assert len(frames_of(answer)) == cine.frames
    assert api.get(reverse("dicomweb:instance-pixel-data", args=uids(plan))).status_code == 404


def test_bulk_data_are_what_the_metadata_refer_to(api: APIClient, team: CareTeam) -> None:
    """Palettes of 65,536 entries are addressed, found at their address, and among all bulk data."""
    content = path_of("pydicom:test_files/JPEG2000.dcm").read_bytes()
    dataset = pydicom.dcmread(io.BytesIO(content))
    table = np.arange(2**16, dtype="<u2").tobytes()
    dataset.RedPaletteColorLookupTableData = table
    dataset.add_new(0x00091010, "OB", b"\1" * (2**20 + 2))
    dataset.add_new(0x00090010, "LO", "MAKER")
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    instance = take_in(buffer.getvalue(), team).instance
    assert instance
    (metadata,) = api.get(reverse("dicomweb:instance-metadata", args=uids(instance))).json()
    addressed = {tag: item["BulkDataURI"] for tag, item in metadata.items() if "BulkDataURI" in item}
    assert set(addressed) == {"00281201", "00091010", "7FE00010"}
    assert b"".join(api.get(addressed["00281201"], HTTP_ACCEPT="application/octet-stream")) == table
    assert frames_of(api.get(addressed["00091010"])) == [b"\1" * (2**20 + 2)]
    every = frames_of(api.get(reverse("dicomweb:series-bulk-data", args=uids(instance)[:2])))
    assert table in every and len(every) == 3
    for wrong in ("00281202", "xyz", "00280010/0/00281201", "00281201/"):
        url = addressed["00281201"].replace("00281201", wrong)
        assert api.get(url).status_code == (200 if wrong.endswith("/") else 404), wrong


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.8.1", "1.2.840.10008.1.2.4.110", "1.2.3.4"])
def test_metadata_of_a_syntax_that_nobody_knows_are_sent(api: APIClient, syntax: str) -> None:
    dataset = pydicom.dcmread(get_testdata_file("rtplan.dcm"))  # type: ignore[arg-type]
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    dataset.PatientID = "1"
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, implicit_vr=False, little_endian=True, force_encoding=True)
    answer = store(api, buffer.getvalue())
    url = answer.json()["00081199"]["Value"][0]["00081190"]["Value"][0]  # type: ignore[attr-defined]
    (metadata,) = api.get(f"{url}/metadata").json()
    assert metadata["00083002"]["Value"] == [syntax]


def test_frames_are_read_one_at_a_time(api: APIClient, team: CareTeam, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = take_in(film_file(), team).instance
    assert instance
    alive: set[int] = set()
    most = 0

    class Counted(bytes):
        def __new__(cls) -> Counted:
            self = super().__new__(cls, 9 * 2**20)
            alive.add(id(self))
            nonlocal most
            most = max(most, len(alive))
            return self

        def __del__(self) -> None:
            alive.discard(id(self))

    monkeypatch.setattr("apps.imaging.dicomweb.retrieve.frame_of", lambda *_: Counted())
    answer = api.get(reverse("dicomweb:frames", args=[*uids(instance), ",".join("1" * 12)]))
    assert sum(len(piece) for piece in answer) > 12 * 9 * 2**20  # type: ignore[attr-defined]
    assert most <= 4


def test_a_lost_file_is_told_as_such(api: APIClient, team: CareTeam) -> None:
    instance = take_in(film_file(), team).instance
    assert instance
    blobs.delete(instance.blob)
    for name in ("instance", "instance-metadata", "instance-rendered", "instance-pixel-data"):
        answer = api.get(reverse(f"dicomweb:{name}", args=uids(instance)), HTTP_ACCEPT="*/*")
        assert answer.status_code == 500 and "archive verify" in answer.json()["detail"], name

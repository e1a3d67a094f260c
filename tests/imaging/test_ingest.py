"""Each bad file gets its own clear answer and leaves the others and the database whole."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pydicom
import pytest
from pydicom.data.data_manager import DATA_ROOT
from pydicom.uid import MPEG2MPML

from apps.accounts.models import User
from apps.imaging import filing
from apps.imaging.dicom.parser import Limits, Unreadable, open_object
from apps.imaging.ingest import receive
from apps.imaging.messages import MESSAGES
from apps.imaging.models import Instance, Outcome, QuarantinedFile, Series, Study
from apps.imaging.queries import grey_frame, header_of, open_file
from apps.patients.models import Patient
from apps.protection.containers import SealedContainer
from tests.factories import film_file, film_pixels

TEST_FILES = Path(DATA_ROOT) / "test_files"


def edited(**attributes: object) -> bytes:
    """A film whose header was changed."""
    dataset = pydicom.dcmread(io.BytesIO(film_file()))
    for keyword, value in attributes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def beyond_the_end() -> bytes:
    """An element that says it is 1 GB long."""
    content = bytearray(film_file())
    place = content.index(b"\x10\x00\x10\x00PN")
    return bytes(content[:place]) + b"\x09\x00\x10\x00UN\0\0" + struct.pack("<I", 2**30) + bytes(content[place:])


def endless_sequence() -> bytes:
    """A sequence of undefined length without an end."""
    return film_file() + b"\xf1\x7f\x10\x10SQ\0\0" + b"\xff" * 4 + b"\xfe\xff\x00\xe0" + b"\xff" * 4


BAD = {
    "not_dicom": b"hello, I am a text that is longer than the preamble of a DICOM file " * 4,
    "truncated": film_file()[:-100],
    "missing_uid": edited(SOPInstanceUID="not a uid"),
    "truncated header": beyond_the_end(),
    "truncated sequence": endless_sequence(),
    "damaged": film_file()[:132] + edited()[132:].replace(b"\x08\x00\x60\x00CS", b"\xfe\xff\x0d\xe0CS"),
}


def film_header() -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(film_file()), stop_before_pixels=True)


def nothing_is_left(store: Path) -> bool:
    rows = sum(model.objects.count() for model in (Patient, Study, Series, Instance, QuarantinedFile))
    return rows == 0 and not [path for path in store.rglob("*") if path.is_file()]


@pytest.mark.parametrize("code", BAD)
def test_a_bad_file_is_refused_with_its_reason_and_leaves_nothing(code: str, doctor: User, sealed_store: Path) -> None:
    received = receive(io.BytesIO(BAD[code]), actor=doctor)
    assert (received.outcome, received.code) == (Outcome.REFUSED, code.partition(" ")[0])
    assert received.code in MESSAGES
    assert nothing_is_left(sealed_store)


@pytest.mark.parametrize(
    ("content", "code"),
    [(edited(Rows=0), "bad_dimensions"), (edited(Rows=65535, Columns=65535), "frame_too_large")],
)
def test_what_cannot_be_shown_is_stored_and_says_so(content: bytes, code: str, doctor: User) -> None:
    received = receive(io.BytesIO(content), actor=doctor)
    assert (received.outcome, received.code) == (Outcome.STORED, code)
    assert received.instance and (received.instance.frames, received.instance.problem) == (0, code)
    with open_file(received.instance) as file:
        assert file.read() == content


def test_an_object_without_pixels_is_stored(doctor: User) -> None:
    content = edited(**dict.fromkeys(("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit")))
    received = receive(io.BytesIO(content), actor=doctor)
    assert (received.outcome, received.code) == (Outcome.STORED, "")
    assert received.instance and (received.instance.frames, received.instance.pixel_tag) == (0, 0)


def test_video_is_stored(doctor: User) -> None:
    dataset = pydicom.dcmread(io.BytesIO(film_file()))
    dataset.file_meta.TransferSyntaxUID = MPEG2MPML
    dataset.PixelData = pydicom.encaps.encapsulate([b"\0" * 16])
    dataset["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True, implicit_vr=False, little_endian=True)
    received = receive(buffer, actor=doctor)
    assert (received.outcome, received.code) == (Outcome.STORED, "video")


def nested(levels: int) -> bytes:
    """A film with a private sequence of many levels, of undefined length."""
    start = b"\xf1\x7f\x10\x10SQ\0\0" + b"\xff" * 4 + b"\xfe\xff\x00\xe0" + b"\xff" * 4
    end = b"\xfe\xff\x0d\xe0" + b"\0" * 4 + b"\xfe\xff\xdd\xe0" + b"\0" * 4
    return film_file() + start * levels + end * levels


def test_ten_thousand_levels_are_stored(doctor: User) -> None:
    received = receive(io.BytesIO(nested(10_000)), actor=doctor)
    assert received.outcome == Outcome.STORED and received.instance
    assert header_of(received.instance).PatientID == film_header().PatientID


def test_a_file_without_patient_id_is_held_for_assignment(doctor: User) -> None:
    content = edited(PatientID="")
    for _ in range(2):
        received = receive(io.BytesIO(content), actor=doctor)
        assert (received.outcome, received.code) == (Outcome.HELD, "no_patient_id")
    (held,) = QuarantinedFile.objects.all()
    assert held.patient is None
    with SealedContainer(held.blob, holder=held.key_holder) as file:
        assert file.read() == content


def test_a_deflated_bomb_is_not_inflated(doctor: User) -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = squeeze.compress(b"\0" * 8_000_000) + squeeze.flush()
    dataset = pydicom.dcmread(TEST_FILES / "image_dfl.dcm")
    meta = io.BytesIO()
    dataset.save_as(meta)
    start = meta.getvalue()[: 132 + 12 + dataset.file_meta.FileMetaInformationGroupLength]
    with pytest.raises(Unreadable, match="frame_too_large"):
        open_object(io.BytesIO(start + bomb), Limits(inflated_bytes=4_000_000))


def test_a_compressed_frame_that_declares_another_size_is_not_decoded(doctor: User) -> None:
    path = TEST_FILES / "JPEG2000.dcm"
    content = path.read_bytes()
    place = content.index(b"\xff\x4f\xff\x51") + 8
    bomb = content[:place] + struct.pack(">II", 60000, 60000) + content[place + 8 :]
    received = receive(io.BytesIO(bomb), actor=doctor)
    assert received.code == "bad_dimensions" and received.instance
    with pytest.raises(Unreadable, match="bad_dimensions"):
        grey_frame(received.instance)


def test_a_film_is_stored_sealed_and_comes_back(doctor: User, sealed_store: Path) -> None:
    received = receive(io.BytesIO(film_file()), actor=doctor)
    assert received.outcome == Outcome.STORED and received.instance
    frame = grey_frame(received.instance)
    assert frame.pixels.shape == (256, 256)
    assert (frame.pixels.astype("uint16") == film_pixels()).mean() > 0.99
    assert str(header_of(received.instance).PatientName) == "Lindqvist^Åsa"
    stored = b"".join(path.read_bytes() for path in sealed_store.rglob("*") if path.is_file())
    assert b"Lindqvist" not in stored and b"DICM" not in stored


def test_the_same_file_twice_is_stored_once(doctor: User) -> None:
    receive(io.BytesIO(film_file()), actor=doctor)
    again = receive(io.BytesIO(film_file()), actor=doctor)
    assert again.outcome == Outcome.DUPLICATE and again.instance
    assert Instance.objects.count() == 1


def test_the_same_identifier_with_other_content_is_held(doctor: User) -> None:
    first = receive(io.BytesIO(film_file()), actor=doctor).instance
    content = edited(SeriesDescription="other")
    other = receive(io.BytesIO(content), actor=doctor)
    assert (other.outcome, other.code) == (Outcome.HELD, "sop_instance_differs")
    assert first and header_of(first).SeriesDescription == film_header().SeriesDescription
    (held,) = QuarantinedFile.objects.all()
    with SealedContainer(held.blob, holder=held.key_holder) as file:
        assert file.read() == content


def test_the_same_data_set_with_another_preamble_and_meta_information_is_the_same(doctor: User) -> None:
    content = film_file()
    receive(io.BytesIO(content), actor=doctor)
    dataset = pydicom.dcmread(io.BytesIO(content))
    dataset.preamble = b"II" + b"\0" * 126
    dataset.file_meta.SourceApplicationEntityTitle = "OTHER"
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    assert buffer.getvalue() != content
    assert receive(buffer, actor=doctor).outcome == Outcome.DUPLICATE


def test_a_series_uid_used_again_in_another_study_is_another_series(doctor: User) -> None:
    receive(io.BytesIO(film_file()), actor=doctor)
    again = receive(io.BytesIO(edited(SOPInstanceUID="1.2.3.4", StudyInstanceUID="1.2.3")), actor=doctor)
    assert again.outcome == Outcome.STORED
    assert Series.objects.count() == Study.objects.count() == 2


def test_two_series_of_one_study_are_one_study(doctor: User) -> None:
    receive(io.BytesIO(film_file()), actor=doctor)
    second = edited(SOPInstanceUID="1.2.3.4", SeriesInstanceUID="1.2.3", Modality="CR")
    receive(io.BytesIO(second), actor=doctor)
    study = Study.objects.get()
    assert study.modality_list == ["CR", "DX"]
    assert study.series.count() == 2


def test_a_study_of_another_patient_is_not_mixed_in(doctor: User, sealed_store: Path) -> None:
    receive(io.BytesIO(film_file()), actor=doctor)
    other = edited(SOPInstanceUID="1.2.3.4", PatientID="MRN-2", PatientName="Other^One")
    received = receive(io.BytesIO(other), actor=doctor)
    assert (received.outcome, received.code) == (Outcome.HELD, "study_of_other_patient")
    assert Instance.objects.count() == 1
    assert len([path for path in sealed_store.rglob("*") if path.is_file()]) == 2


@pytest.mark.parametrize("changed", [{"PatientName": "Somebody^Else"}, {"PatientBirthDate": "19990101"}])
def test_a_contradiction_is_put_aside(doctor: User, changed: dict[str, str]) -> None:
    receive(io.BytesIO(film_file()), actor=doctor)
    other = edited(SOPInstanceUID="1.2.3.4", StudyInstanceUID="1.2.5", SeriesInstanceUID="1.2.6", **changed)
    for _ in range(2):
        held = receive(io.BytesIO(other), actor=doctor)
        assert (held.outcome, held.code) == (Outcome.HELD, "identity_conflict")
    assert QuarantinedFile.objects.count() == 1
    assert Instance.objects.count() == 1


def test_another_teams_patient_is_put_aside_without_a_word_on_the_patient(doctor: User, stranger: User) -> None:
    receive(io.BytesIO(film_file()), actor=doctor)
    held = receive(io.BytesIO(edited(SOPInstanceUID="1.2.3.4")), actor=stranger)
    assert (held.outcome, held.code, held.instance) == (Outcome.HELD, "other_care_team", None)


@pytest.mark.parametrize("role", ["patient_user", "admin_user"])
def test_only_clinicians_upload(role: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(PermissionError):
        receive(io.BytesIO(film_file()), actor=request.getfixturevalue(role))
    assert not Instance.objects.exists()


def test_a_doctor_without_a_team_is_told_so(doctor: User) -> None:
    doctor.care_teams.clear()
    assert receive(io.BytesIO(film_file()), actor=doctor).code == "no_care_team"
    assert not Patient.objects.exists()


def test_a_failing_store_leaves_no_half_written_row(
    doctor: User, monkeypatch: pytest.MonkeyPatch, sealed_store: Path
) -> None:
    def full(*args: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(filing, "_index", full)
    with pytest.raises(OSError, match="space"):
        receive(io.BytesIO(film_file()), actor=doctor)
    assert not Instance.objects.exists()
    assert not [path for path in sealed_store.rglob("*") if path.is_file()]


def test_another_team_learns_nothing_of_what_is_stored(doctor: User, stranger: User) -> None:
    """Neither that the object exists nor that it is the same."""
    content = film_file()
    receive(io.BytesIO(content), actor=doctor)
    for file in (content, edited(SeriesDescription="other")):
        received = receive(io.BytesIO(file), actor=stranger)
        assert (received.outcome, received.code, received.instance) == (Outcome.HELD, "other_care_team", None)

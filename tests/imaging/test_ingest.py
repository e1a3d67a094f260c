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
from apps.imaging import ingest
from apps.imaging.dicom.parser import Limits, Unreadable, open_object
from apps.imaging.ingest import receive
from apps.imaging.messages import MESSAGES
from apps.imaging.models import Instance, Outcome, QuarantinedFile, Series, Study
from apps.imaging.queries import grey_frame, header_of
from apps.patients.models import Patient
from tests.conftest import SHARED
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


def huge_header() -> bytes:
    """An element that says it is 1 GB long."""
    content = bytearray(film_file())
    place = content.index(b"\x10\x00\x10\x00PN")
    return bytes(content[:place]) + b"\x09\x00\x10\x00UN\0\0" + struct.pack("<I", 2**30) + bytes(content[place:])


BAD = {
    "not_dicom": b"hello, I am a text that is longer than the preamble of a DICOM file " * 4,
    "no_pixels": edited(PixelData=None),
    "truncated": film_file()[:-100],
    "bad_dimensions": edited(Rows=0),
    "frame_too_large": edited(Rows=65535, Columns=65535),
    "missing_uid": edited(SOPInstanceUID="not a uid"),
    "no_patient_id": edited(PatientID=""),
    "header_too_large": huge_header(),
    "damaged": b"\0" * 128 + b"DICM" + b"\x02\x00\x10\x00ZZ\xff\xff" + b"\x01" * 64,
}


def nothing_is_left(store: Path) -> bool:
    rows = sum(model.objects.count() for model in (Patient, Study, Series, Instance, QuarantinedFile))
    return rows == 0 and not [path for path in store.rglob("*") if path.is_file()]


@pytest.mark.parametrize("code", BAD)
def test_a_bad_file_is_refused_with_its_reason_and_leaves_nothing(code: str, doctor: User, sealed_store: Path) -> None:
    received = receive(io.BytesIO(BAD[code]), actor=doctor)
    assert (received.outcome, received.code) == (Outcome.REFUSED, code)
    assert received.code in MESSAGES
    assert nothing_is_left(sealed_store)


def test_an_unsupported_transfer_syntax_is_named(doctor: User, sealed_store: Path) -> None:
    dataset = pydicom.dcmread(io.BytesIO(film_file()))
    dataset.file_meta.TransferSyntaxUID = MPEG2MPML
    dataset.PixelData = pydicom.encaps.encapsulate([b"\0" * 16])
    dataset["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True, implicit_vr=False, little_endian=True)
    received = receive(buffer, actor=doctor)
    assert received.code == "unsupported_transfer_syntax"
    assert "MPEG2" in received.parameters["syntax"]
    assert nothing_is_left(sealed_store)


def test_a_deflated_bomb_is_not_inflated(doctor: User) -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = squeeze.compress(b"\0" * 8_000_000) + squeeze.flush()
    dataset = pydicom.dcmread(TEST_FILES / "image_dfl.dcm")
    meta = io.BytesIO()
    dataset.save_as(meta)
    start = meta.getvalue()[: 132 + 12 + dataset.file_meta.FileMetaInformationGroupLength]
    with pytest.raises(Unreadable, match="frame_too_large"):
        open_object(io.BytesIO(start + bomb), Limits(inflated_bytes=4_000_000))


def test_a_compressed_frame_that_declares_another_size_is_refused(doctor: User) -> None:
    path = TEST_FILES / "JPEG2000.dcm"
    content = path.read_bytes()
    place = content.index(b"\xff\x4f\xff\x51") + 8
    bomb = content[:place] + struct.pack(">II", 60000, 60000) + content[place + 8 :]
    assert receive(io.BytesIO(bomb), actor=doctor).code == "bad_dimensions"


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


def test_the_same_identifier_with_other_content_is_refused(doctor: User) -> None:
    receive(io.BytesIO(film_file()), actor=doctor)
    other = receive(io.BytesIO(edited(SeriesDescription="other")), actor=doctor)
    assert (other.outcome, other.code) == (Outcome.REFUSED, "sop_instance_differs")
    assert Instance.objects.count() == 1


def test_two_series_of_one_study_are_one_study(doctor: User) -> None:
    receive(io.BytesIO(film_file()), actor=doctor)
    second = edited(SOPInstanceUID="1.2.3.4", SeriesInstanceUID="1.2.3", Modality="CR")
    receive(io.BytesIO(second), actor=doctor)
    study = Study.objects.get()
    assert study.modality_list == ["CR", "DX"]
    assert study.series.count() == 2


def test_a_study_of_another_patient_is_not_mixed_in(doctor: User, sealed_store: Path) -> None:
    receive(io.BytesIO(film_file()), actor=doctor)
    files = sorted(sealed_store.rglob("*"))
    other = edited(SOPInstanceUID="1.2.3.4", PatientID="MRN-2", PatientName="Other^One")
    received = receive(io.BytesIO(other), actor=doctor)
    assert received.code == "study_of_other_patient"
    assert sorted(sealed_store.rglob("*")) <= files or len(list(sealed_store.rglob("header"))) == 1


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
    def full(instance: Instance, *args: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(ingest, "_index", full)
    with pytest.raises(OSError, match="space"):
        receive(io.BytesIO(film_file()), actor=doctor)
    assert not Instance.objects.exists()
    assert not [path for path in sealed_store.rglob("*") if path.is_file()]


def corpus() -> list[Path]:
    """Every DICOM test file of pydicom and of the shared data that is on this machine."""
    # Not by get_testdata_files: it would download what the package does not carry.
    files = [path for path in sorted(TEST_FILES.iterdir()) if path.is_file() and path.suffix != ".py"]
    if SHARED.is_dir():
        files += sorted((SHARED / "dicom").rglob("*.dcm"))
    return files


def forget() -> None:
    """Many test files share identifiers: each is to be judged alone."""
    for model in (QuarantinedFile, Instance, Series, Study, Patient):
        model.objects.all().delete()


def test_every_known_file_is_stored_or_refused_with_a_reason(doctor: User) -> None:
    codes: dict[str, list[str]] = {}
    files = corpus()
    for path in files:
        with path.open("rb") as stream:
            received = receive(stream, actor=doctor)
        codes.setdefault(received.code or received.outcome, []).append(path.name)
        assert received.code in MESSAGES or received.instance, (path.name, received)
        if received.instance:
            assert header_of(received.instance).Rows == received.instance.rows
        else:
            assert not (Patient.objects.exists() or Study.objects.exists()), path.name
        forget()
    assert len(codes[Outcome.STORED]) / len(files) > 0.6, codes

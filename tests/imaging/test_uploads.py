"""Uploads by the page: files, archives, and what is hostile about them."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pydicom
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from apps.accounts.models import User
from apps.imaging import uploads
from apps.imaging.dicom import archives
from apps.imaging.models import Instance, Upload, UploadedFile
from tests.factories import chest_files, film_file, zip_of
from tests.imaging.files import changed


@pytest.fixture
def send(browser_client: Client) -> Any:
    """Sends a file as the page does and returns the lines of the answer."""
    address = browser_client.post(reverse("imaging:upload-start")).json()["files"]

    def post(content: bytes, name: str = "film.bin", client: Client = browser_client) -> list[dict[str, str]]:
        answer = client.post(address, {"file": SimpleUploadedFile(name, content), "path": f"folder/{name}"})
        if not getattr(answer, "streaming", False):
            return [{"outcome": "refused", "status": str(answer.status_code)}]

        async def read() -> bytes:
            return b"".join([part async for part in answer.streaming_content])

        return [json.loads(line) for line in asyncio.run(read()).decode().splitlines()]

    return post


pytestmark = pytest.mark.django_db(transaction=True)


def test_a_film_under_any_name_is_stored(send: Any) -> None:
    (row,) = send(film_file(), "holiday.txt")
    assert row["outcome"] == "stored"
    assert row["name"] == "folder/holiday.txt"
    assert row["study"].startswith("/studies/")


def test_a_text_called_dcm_is_refused(send: Any) -> None:
    (row,) = send(b"not dicom" * 100, "film.dcm")
    assert row["outcome"] == "refused"
    assert "not a DICOM file" in row["reason"]


def test_an_empty_file_is_refused(send: Any) -> None:
    (row,) = send(b"", "film.dcm")
    assert "empty" in row["reason"]


def test_a_zip_gives_an_outcome_for_each_file(send: Any) -> None:
    rows = send(
        zip_of(
            {
                "a/one.dcm": film_file(1),
                "two": film_file(2, mrn="M2"),
                "notes.txt": b"hello " * 50,
                "../evil.dcm": film_file(3),
                "inner.zip": zip_of({"x": b"y"}),
                "__MACOSX/._one.dcm": b"resource fork",
            }
        ),
        "scans.zip",
    )
    assert [row["outcome"] for row in rows] == ["stored", "stored", "refused", "refused", "refused"]
    assert "points outside" in rows[3]["reason"]
    assert "Nested archives" in rows[4]["reason"]
    assert Instance.objects.count() == 2


def test_too_many_entries_are_refused_before_they_are_listed(send: Any) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(archives.MAX_ENTRIES + 1):
            archive.writestr(f"{number}", b"")
    (row,) = send(buffer.getvalue())
    assert "more than 10000 files" in row["reason"]


def test_a_hundred_thousand_entries_are_refused() -> None:
    """The end record alone says so; its field overflows to 0xFFFF in ZIP64."""
    tail = b"PK\x05\x06" + b"\0\0\0\0" + b"\xff\xff\xff\xff" + b"\0" * 10
    with pytest.raises(archives.Unreadable, match="zip_too_many"):
        list(archives.entries(io.BytesIO(b"PK\x03\x04" + b"\0" * 40 + tail)))


def test_a_zip_bomb_stops_at_the_limit(send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 3_000_000)
    rows = send(zip_of({"bomb": b"\0" * 20_000_000, "film": film_file()}))
    assert [row["outcome"] for row in rows] == ["refused", "stored"]


def test_a_damaged_and_a_protected_zip_are_refused(send: Any) -> None:
    whole = zip_of({"film": film_file()})
    (row,) = send(whole[:-30])
    assert "damaged" in row["reason"]
    protected = bytearray(whole)
    protected[6] |= 1
    protected[whole.index(b"PK\x01\x02") + 8] |= 1
    (row,) = send(bytes(protected))
    assert "password" in row["reason"]


def test_one_file_that_breaks_does_not_cost_the_others(send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = uploads.receive
    calls = iter([True, False])

    def breaking(stream: Any, **options: Any) -> Any:
        if next(calls):
            raise ValueError("Lindqvist")
        return real(stream, **options)

    monkeypatch.setattr(uploads, "receive", breaking)
    rows = send(zip_of({"one": film_file(1), "two": film_file(2)}))
    assert [row["outcome"] for row in rows] == ["refused", "stored"]
    assert "Lindqvist" not in rows[0]["reason"]


def test_a_file_larger_than_allowed_is_refused(send: Any, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    assert send(film_file())[0]["status"] == "400"
    assert not Instance.objects.exists()


def test_another_doctors_upload_cannot_be_used(send: Any, stranger: User) -> None:
    other = Client()
    other.force_login(stranger)
    assert send(film_file(), client=other)[0]["status"] == "404"


def test_outcomes_are_kept_with_sealed_names(send: Any) -> None:
    send(film_file(), "Lindqvist.dcm")
    kept = UploadedFile.objects.get()
    assert kept.name == "folder/Lindqvist.dcm"
    assert Upload.objects.get().files.get() == kept


def test_two_uploads_of_one_study_at_once(doctor: User) -> None:
    """Two threads, one file: it is stored once, and both are told so."""
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    from apps.imaging.ingest import receive

    def once(_: int) -> str:
        try:
            return receive(io.BytesIO(film_file()), actor=doctor).outcome
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(once, range(4)))
    assert outcomes == ["duplicate", "duplicate", "duplicate", "stored"]
    assert Instance.objects.count() == 1


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(100), "a picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a picture"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(100), "a picture"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(100), "a picture"),
        (b"\x00\x00\x00\x18ftypisom" + bytes(100), "a video"),
        (b"%PDF-1.7" + bytes(100), "a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "an office"),
        (b"\x1f\x8b\x08" + bytes(100), "Unpack"),
        (bytes(344) + b"n+1\x00" + bytes(8), "research format"),
        (b"MSH|^~\\&|A|B" + bytes(100), "HL7"),
        (b"BM, said the letter, is not a bitmap" * 9, "not a DICOM file. Export"),
    ],
)
def test_other_files_are_called_by_their_kind_and_told_what_to_do(send: Any, start: bytes, says: str) -> None:
    (row,) = send(start, "IMG_0001.jpg")
    assert row["outcome"] == "refused"
    assert says in row["reason"]


def test_a_file_with_dicom_behind_a_picture_in_its_preamble_is_stored(send: Any) -> None:
    content = b"II*\x00" + film_file()[4:]  # a TIFF and DICOM file in one (PS3.10 section 7.1)
    (row,) = send(content)
    assert row["outcome"] == "stored"


def test_the_files_of_a_study_share_a_row(send: Any, browser_client: Client) -> None:
    slices = chest_files()[:3]
    rows = send(zip_of({f"{number}.dcm": content for number, content in enumerate(slices)}), "cd.zip")
    again = send(slices[0])
    groups = {row["group"] for row in [*rows, *again]}
    assert {row["outcome"] for row in [*rows, *again]} >= {"duplicate"}
    assert len(groups) == 1 and rows[0]["title"] == "Tove Berg · CT 2026-03-02 Chest CT"
    page = browser_client.get(reverse("imaging:upload")).content.decode()
    recent = page[page.index("Your recent files") : page.index("<template")]
    assert recent.count("<details") == 1 and "Already stored" in recent


def test_a_study_of_another_team_is_neither_linked_nor_named(send: Any, stranger: User) -> None:
    content = film_file(5)
    send(content)
    client = Client()
    client.force_login(stranger)
    address = client.post(reverse("imaging:upload-start")).json()["files"]
    answer = client.post(address, {"file": SimpleUploadedFile("x", content), "path": "x"})

    async def read() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    row = json.loads(asyncio.run(read()))
    assert row["outcome"] == "held"
    assert row["study"] == "" and "Lindqvist" not in row["title"]


def test_an_object_without_images_is_stored_and_called_by_its_kind(send: Any) -> None:
    (row,) = send(Path(get_testdata_file("rtstruct.dcm")).read_bytes(), "rs.dcm")
    assert row["outcome"] == "stored" and "Structure set" in row["reason"]


def test_an_image_with_a_problem_is_stored_and_says_so(send: Any, browser_client: Client) -> None:
    damaged = pydicom.dcmread(io.BytesIO(film_file(1)))
    damaged.file_meta.TransferSyntaxUID = JPEG2000Lossless
    damaged.PixelData = encapsulate([b"no codestream at all"])
    buffer = io.BytesIO()
    damaged.save_as(buffer)
    (row,) = send(buffer.getvalue(), "cut.dcm")
    assert (row["outcome"], row["label"]) == ("stored", "Stored")
    assert "cannot be displayed" in row["reason"] and row["study"]
    page = browser_client.get(row["study"]).content.decode()
    assert "cannot be displayed" in page


def test_a_quarantined_file_leads_to_where_it_is_decided_on(send: Any) -> None:
    (row,) = send(changed(film_file(1), PatientID=""), "x.dcm")
    assert (row["outcome"], row["decide"]) == ("held", reverse("imaging:held"))
    assert row["title"] == "No Patient ID"

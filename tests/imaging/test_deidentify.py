"""De-identified exports against the table of PS3.15 Annex E."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, timedelta

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw
from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.sequence import Sequence

from apps.accounts.models import CareTeam, User
from apps.imaging import deidentify
from apps.imaging.dicom.deidentification.burnt_in import blank_text, find_text
from apps.imaging.dicom.deidentification.profile import Profile
from apps.imaging.dicom.deidentification.table import Action, action_for, actions
from apps.imaging.jobs import make
from apps.imaging.models import DeidentifiedExport, Study
from apps.jobs.errors import Refusal
from apps.patients.consent import record_consent
from apps.patients.models import ConsentState, Purpose
from tests.factories import film_file, film_pixels, take_in

CANARIES = {
    "AE": "CANARY", "AS": "033Y", "CS": "CANARY", "DA": "19791231", "DS": "7.5", "DT": "19791231120000", "IS": "77",
    "LO": "CANARY", "LT": "CANARY", "PN": "CANARY^X", "SH": "CANARY", "ST": "CANARY", "TM": "120000", "UC": "CANARY",
    "UI": "1.2.3.77", "UR": "http://canary", "UT": "CANARY", "US": 77, "UL": 77, "FD": 7.5, "FL": 7.5, "OB": b"CANARY",
    "UN": b"CANARY", "SS": 77, "SL": 77,
}  # fmt: skip


def element(tag: object) -> DataElement:
    known = dictionary_has_tag(tag)  # type: ignore[arg-type]  # the table may be newer than the dictionary
    vr = dictionary_VR(tag).split(" or ")[0] if known else "LO"  # type: ignore[arg-type]
    if vr == "SQ":
        item = Dataset()
        item.PatientName, item.TextValue, item.ValueType = "CANARY^X", "CANARY", "TEXT"
        return DataElement(tag, "SQ", Sequence([item]))  # type: ignore[arg-type]
    return DataElement(tag, vr, CANARIES[vr])  # type: ignore[arg-type]


def test_every_attribute_of_the_standards_table_is_treated_as_it_says() -> None:
    """Over 600 attributes, one by one, with a value that must not survive (or must, where an option keeps it)."""
    checked = 0
    for tag, action in actions().items():
        if tag.group in (0x0000, 0x0002, 0x0004):
            continue  # messages, file meta and directories: no part of a data set
        dataset = Dataset()
        dataset.add(element(tag))
        before = dataset[tag].value
        profile = Profile(shift=timedelta(days=-100))
        profile._clean(dataset)
        text = str(dataset)
        checked += 1
        if action is Action.REMOVE:
            assert tag not in dataset, tag
        elif action is Action.KEEP:
            assert tag in dataset, tag
        elif action is Action.UID:
            assert dataset[tag].value == profile.uids["1.2.3.77"], tag
        elif action is Action.SHIFT:
            expected = {"DA": "19790922", "DT": "19790922120000", "TM": "120000"}[dataset[tag].VR]
            assert str(dataset[tag].value) == expected, tag
        elif action in (Action.CLEAN, Action.REFERENCES):
            assert tag in dataset and "CANARY" not in text, tag
        elif action is Action.EMPTY:
            assert not dataset[tag].value, tag
        else:
            assert dataset[tag].value != before or dataset[tag].VR == "SQ", tag
            assert "CANARY" not in text, tag
    assert checked > 600


def test_private_unknown_and_nested_attributes() -> None:
    dataset = Dataset()
    dataset.add_new(0x00091001, "LO", "CANARY")
    dataset.add_new(0x60003000, "OW", b"CANARY")
    dataset.add_new(0x50000010, "US", 1)
    inner = Dataset()
    inner.PatientName, inner.SeriesDate = "CANARY", "20200101"
    dataset.add_new(0x00081115, "SQ", Sequence([inner]))
    dataset.StudyDescription = "CANARY"
    Profile(shift=timedelta(days=-1)).apply(dataset)
    assert "CANARY" not in str(dataset)
    assert dataset.ReferencedSeriesSequence[0].SeriesDate == "20191231"
    assert action_for(pydicom.tag.Tag(0x00091001)) is Action.REMOVE


@pytest.fixture
def study(team: CareTeam) -> Study:
    for seed in (1, 2):
        film = film_file(seed, name="Lindqvist^Åsa", accession_number="ACC-77")
        take_in(b"MZ\x90\0" + film[4:], team)  # also the head of a program for Windows (CVE-2019-11687)
    return Study.objects.first()  # type: ignore[return-value]


def released(study: Study, doctor: User) -> DeidentifiedExport:
    record_consent(study.patient, Purpose.RESEARCH, ConsentState.GIVEN, actor=doctor)
    study.refresh_from_db()
    release = deidentify.request_export(study, actor=doctor)
    assert deidentify.request_export(study, actor=doctor) == release  # a double click
    make(str(release.pk))
    release.refresh_from_db()
    return release


def test_an_export_holds_nothing_of_the_patient(study: Study, doctor: User, researcher: User) -> None:
    release = released(study, doctor)
    assert release.state == "succeeded", release.reason_code
    content = deidentify.download(release, actor=researcher)
    for word in (b"Lindqvist", b"MRN-1", b"ACC-77", b"20260302", b"20210504"):
        assert word not in content
    archive = zipfile.ZipFile(io.BytesIO(content))
    for name in archive.namelist():
        raw = archive.read(name)
        assert raw[:128] == b"\0" * 128  # no executable can hide in the preamble
        dataset = pydicom.dcmread(io.BytesIO(raw))
        assert "Lindqvist" not in str(dataset) and study.study_instance_uid not in str(dataset)
        assert dataset.PatientIdentityRemoved == "YES" and dataset.BurnedInAnnotation == "NO"
        assert dataset.pixel_array.shape == (256, 256)
        days = (date(2026, 3, 2) - datetime.strptime(dataset.StudyDate, "%Y%m%d").date()).days
        assert 30 <= days <= 3650
        assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID


def test_without_consent_to_research_nothing_leaves(study: Study, doctor: User, researcher: User) -> None:
    with pytest.raises(Refusal):
        deidentify.request_export(study, actor=doctor)
    release = released(study, doctor)
    record_consent(study.patient, Purpose.RESEARCH, ConsentState.WITHDRAWN, actor=doctor)
    with pytest.raises(PermissionError):
        deidentify.download(release, actor=researcher)


def test_strangers_neither_ask_nor_fetch(study: Study, doctor: User, stranger: User, nurse: User) -> None:
    release = released(study, doctor)
    for user in (stranger, nurse):
        with pytest.raises(PermissionError):
            deidentify.request_export(study, actor=user)
        with pytest.raises(PermissionError):
            deidentify.download(release, actor=user)


@pytest.mark.parametrize("bright", [True, False])
def test_burnt_in_text_is_found_and_blanked(bright: bool) -> None:
    film = (film_pixels(5, "normal", 512) >> 4).astype(np.uint8)
    picture = Image.fromarray(film)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 40, 330, 80), fill=0 if bright else 255)
    draw.text((30, 46), "DOE JANE 1980-02-03", fill=255 if bright else 0, font_size=24)
    text = np.asarray(picture)
    clean, boxes = blank_text(text)
    assert any(top < 60 < bottom and left < 100 < right for top, left, bottom, right in boxes)
    assert not find_text(clean)
    assert np.array_equal(clean[250:400], text[250:400])  # the lungs are left alone

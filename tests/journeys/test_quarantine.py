"""Files that need a decision, objects that are no images, and slices whose numbers mislead."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pydicom
import pytest
from playwright.sync_api import expect
from pydicom.data import get_testdata_file

from tests.factories import chest_files, film_file

pytestmark = pytest.mark.needs("chromium")


def written(path: Path, content: bytes, **values: Any) -> Path:
    """Write a file with other values of some elements."""
    dataset = pydicom.dcmread(io.BytesIO(content))
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_a_file_without_patient_id_finds_its_patient(visit: Any, tmp_path: Path, scheme: str, width: int) -> None:
    mrn, seed = f"QUARANTINE-{scheme}-{width}", len(scheme) * 10_000 + width
    known, unnamed = tmp_path / "known.dcm", tmp_path / "unnamed.dcm"
    known.write_bytes(film_file(3, mrn=mrn, name=f"Quarantine^{scheme.title()}", identity=[mrn]))
    written(unnamed, film_file(4, identity=[mrn, "unnamed"]), PatientID="", PatientName=f"Unnamed^{seed}")
    doctor = visit(viewport={"width": width, "height": 900}, color_scheme=scheme).sign_in("doctor")
    doctor.upload(known, unnamed)
    doctor.check(f"upload-{scheme}-{width}")
    doctor.send("#outcomes a:has-text('Decide')")
    doctor.check(f"held-{scheme}-{width}")
    doctor.send(f"li:has-text('{seed} Unnamed') a")
    picture = doctor.page.locator("img.pictured")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100
    doctor.check(f"held-file-{scheme}-{width}")
    doctor.page.locator("#id_search").focus()
    doctor.page.keyboard.type(mrn)
    with doctor.page.expect_navigation():
        doctor.page.keyboard.press("Enter")
    doctor.send("button[name=patient]")
    assert f"{seed} Unnamed" in doctor.page.inner_text("main") and mrn in doctor.page.inner_text("main")
    doctor.check(f"held-assign-{scheme}-{width}")
    doctor.send("main button:has-text('File under this record')")
    assert mrn in doctor.page.inner_text("main") and "/studies/" in doctor.page.url


def test_discarding_asks_and_can_be_left(visit: Any, tmp_path: Path) -> None:
    unnamed = written(tmp_path / "x.dcm", film_file(4, identity=["discard"]), PatientID="", PatientName="Discard^Me")
    doctor = visit(viewport={"width": 390, "height": 844}, locale="zh-CN").sign_in("doctor")
    doctor.upload(unnamed)
    doctor.go("/imaging/held/")
    doctor.send("li:has-text('Me Discard') a")
    doctor.check("held-file-chinese")
    doctor.send("button[value=other]")
    assert "无法恢复" in doctor.page.inner_text("main")
    doctor.send("main a.btn:has-text('返回')")
    doctor.send("button[value=other]")
    doctor.send("main button.btn-error")
    assert "已丢弃 1 个文件" in doctor.page.inner_text("main")


def test_a_report_beside_the_images_is_read(visit: Any, tmp_path: Path) -> None:
    film = pydicom.dcmread(io.BytesIO(film_file(3, mrn="REPORT-1", identity=["report"])))
    same = {
        keyword: film.get(keyword) for keyword in ("PatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID")
    }
    source = Path(get_testdata_file("test-SR.dcm")).read_bytes()
    report = written(tmp_path / "report.dcm", source, **same, SOPInstanceUID="1.2.3.4.1", SeriesInstanceUID="1.2.3.4.2")
    film.save_as(tmp_path / "film.dcm")
    doctor = visit().sign_in("doctor")
    doctor.upload(tmp_path / "film.dcm", report)
    doctor.send("#outcomes a[data-study]")
    doctor.page.wait_for_selector("#viewport[data-ready]", state="attached")
    assert doctor.page.get_attribute("#viewport", "data-ready") == film.SeriesInstanceUID
    doctor.check("study-objects")
    doctor.send("a:has-text('Read')")
    assert "Diameter" in doctor.page.inner_text("main")
    doctor.check("report")


def test_stacks_go_by_position(visit: Any, tmp_path: Path) -> None:
    slices = chest_files(mrn="ORDER-1")[:6]
    paths = []
    for index, content in enumerate(slices):
        other = {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]} if index == 5 else {}
        paths.append(written(tmp_path / f"{index}.dcm", content, InstanceNumber=[3, 3, 1, 2, 1, 9][index], **other))
    doctor = visit().sign_in("doctor")
    doctor.upload(*paths)
    assert doctor.page.locator("#outcomes > li").count() == 1
    doctor.send("#outcomes a[data-study]")
    doctor.page.wait_for_selector("#viewport[data-ready]", state="attached")
    expect(doctor.page.locator("#position")).to_have_text("Image 1 of 5")
    names = doctor.page.locator("#series option").all_inner_texts()
    assert [name.split("· ")[1].strip() for name in names] == ["axial (5 images)", "coronal (1 image)"]
    doctor.page.select_option("#series", "0.1")
    expect(doctor.page.locator("#position")).to_have_text("Image 1 of 1")
    doctor.check("stacks")

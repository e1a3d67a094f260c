"""A doctor drops a film into the browser and sees a finding with its explanation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from pydicom.data import get_testdata_file

from tests.factories import film_file
from tests.journeys.services import wait_for

pytestmark = pytest.mark.needs("chromium")

PAINTED = """() => {
  const canvas = document.querySelector("canvas.overlay");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let left = canvas.width, right = 0, painted = 0;
  for (let i = 3; i < data.length; i += 4) if (data[i]) {
    const x = ((i - 3) / 4) % canvas.width;
    painted++; left = Math.min(left, x); right = Math.max(right, x);
  }
  return {painted, width: right - left};
}"""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.bin"
    path.write_bytes(film_file(3, pattern="focal", size=512, mrn="J-1", name="Journey^Jo", identity=[str(tmp_path)]))
    return path


def open_study(visitor: Any, name: str) -> None:
    visitor.page.click(f"a[aria-label='Open study: {name}']")
    visitor.page.wait_for_selector("#viewport[data-ready]", state="attached")
    assert visitor.page.get_attribute("#viewport", "data-ready") != "failed"


def test_from_drop_to_explained_finding(visit: Any, film: Path, tmp_path: Path) -> None:
    ct, text = tmp_path / "slice", tmp_path / "letter.dcm"
    ct.write_bytes(Path(get_testdata_file("CT_small.dcm") or "").read_bytes())
    text.write_text("this is no image at all " * 10)
    doctor = visit().sign_in("doctor")
    page = doctor.page
    doctor.upload(film, ct, text)
    assert "This is not a DICOM file" in page.inner_text("#outcomes")
    assert page.locator("#outcomes a[data-study]:visible").count() == 2
    assert not doctor.axe()

    open_study(doctor, "film.bin")
    button = page.wait_for_selector("[data-explanation]", timeout=240_000)
    assert "Pneumonia" in page.inner_text("#findings")
    assert page.get_by_role("link", name="cxr-pneumonia 1.1.1").is_visible()
    button.click()
    wait_for(lambda: page.evaluate(PAINTED)["painted"] > 1000, 20, "the overlay")
    before = page.evaluate(PAINTED)["width"]
    page.click("[data-act=zoom-out]")
    wait_for(lambda: page.evaluate(PAINTED)["width"] < 0.9 * before, 10, "the overlay to shrink with the image")
    page.click("summary:has-text('How the result adds up') >> nth=0")
    assert "adds up" in page.inner_text("#findings")
    assert not doctor.axe()

    page.click("summary:has-text('Your assessment') >> nth=0")
    page.click("input[value=agree] >> nth=0")
    page.click("#findings form button:has-text('Save') >> nth=0")
    page.wait_for_selector("#findings li strong:has-text('Agree')")
    assert "Dr. Ada Brenner" in page.inner_text("#findings")

    page.go_back()
    open_study_again(doctor)
    open_worklist(doctor)


def open_study_again(doctor: Any) -> None:
    """The back button leads to the upload page, whose list now comes from the server: the CT is refused."""
    doctor.go("/imaging/upload/")
    open_study(doctor, "slice")
    doctor.page.wait_for_selector("#findings:has-text('Not assessed')")
    assert "The series has 1 images" in doctor.page.inner_text("#findings")


def open_worklist(doctor: Any) -> None:
    doctor.go("/worklist/")
    doctor.page.fill("#id_search", "journey")
    doctor.page.keyboard.press("Enter")
    wait_for(lambda: doctor.page.locator("#rows tbody tr").count() == 1, 10, "the search")
    assert "Jo Journey" in doctor.page.inner_text("#rows")
    assert "journey" not in doctor.page.url.lower()
    assert not doctor.axe()


def test_another_team_sees_nothing_of_it(visit: Any, abnormal_study: str) -> None:
    other = visit().sign_in("doctor2")
    assert "No studies found" in other.page.inner_text("#rows")
    other.go(abnormal_study)
    assert "Page not found" in other.page.inner_text("main")


@pytest.mark.parametrize(
    ("username", "path", "words"),
    [("patient", "/me/", "not linked to a record"), ("admin", "/administration/", "Care teams")],
)
def test_patient_and_admin_have_pages_of_their_own(visit: Any, username: str, path: str, words: str) -> None:
    visitor = visit().sign_in(username)
    assert path in visitor.page.url
    assert words in visitor.page.inner_text("main")
    assert not visitor.axe()
    visitor.go("/worklist/")
    assert "Page not found" in visitor.page.inner_text("main")


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1400)])
@pytest.mark.usefixtures("abnormal_study")
def test_pages_pass_axe_on_phone_and_desktop_in_both_themes(visit: Any, scheme: str, width: int) -> None:
    visitor = visit(viewport={"width": width, "height": 844}, color_scheme=scheme).sign_in("doctor")
    problems = {}
    for path in ("/worklist/", "/imaging/upload/", "/imaging/held/", "/models/", "/models/cxr-pneumonia/1.1.1/"):
        visitor.go(path)
        problems[path] = visitor.axe()
        overflow = visitor.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, (path, overflow)
    assert not any(problems.values()), problems


def test_the_study_page_on_a_phone_in_chinese(visit: Any, abnormal_study: str) -> None:
    phone = visit(viewport={"width": 390, "height": 844}, locale="zh-CN", has_touch=True).sign_in("doctor")
    phone.go(abnormal_study)
    phone.page.wait_for_selector("#viewport[data-ready]", state="attached")
    phone.page.wait_for_selector("[data-explanation]", timeout=240_000)
    panel = phone.page.inner_text("#findings")
    assert "AI 发现" in panel and "肺炎" in panel and "阈值" in panel
    assert phone.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert not phone.axe()


def test_everything_works_by_keyboard(visit: Any, film: Path) -> None:
    doctor = visit().sign_in("doctor")
    doctor.upload(film)
    doctor.page.locator("#outcomes a[data-study]").focus()
    doctor.page.keyboard.press("Enter")
    doctor.page.wait_for_selector("#viewport[data-ready]", state="attached")
    doctor.page.wait_for_selector("[data-explanation]", timeout=240_000)
    doctor.page.locator("#viewport").focus()
    doctor.page.keyboard.press("l")
    expect(doctor.page.locator("[data-tool=length]")).to_have_attribute("aria-pressed", "true")
    doctor.page.locator("[data-explanation]").first.focus()
    doctor.page.keyboard.press("Space")
    wait_for(lambda: doctor.page.evaluate(PAINTED)["painted"] > 1000, 20, "the overlay")

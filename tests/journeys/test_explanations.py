"""A doctor asks why: the picture, its page, the brush, alike films; anybody tries a table and a text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.factories import chest_files, film_file
from tests.journeys.services import wait_for
from tests.journeys.test_doctor import PAINTED, open_study

pytestmark = pytest.mark.needs("chromium")


def upload_film(visitor: Any, folder: Path) -> None:
    path = folder / "film.bin"
    mrn = f"E-{folder.name}"
    path.write_bytes(film_file(3, pattern="focal", size=512, mrn=mrn, name="Why^Wilma", identity=[str(folder)]))
    visitor.upload(path)
    open_study(visitor, "film.bin")


def test_the_doctor_asks_why_and_what_without(visit: Any, tmp_path: Path) -> None:
    doctor = visit().sign_in("doctor")
    page = doctor.page
    upload_film(doctor, tmp_path)
    page.wait_for_selector("[data-explanation]", timeout=240_000).click()
    wait_for(lambda: page.evaluate(PAINTED)["painted"] > 1000, 20, "the overlay")
    assert "zone" in page.inner_text("#findings")
    filled = page.evaluate(PAINTED)["painted"]
    page.focus("#viewport")
    page.keyboard.press("c")
    wait_for(lambda: 0 < page.evaluate(PAINTED)["painted"] < 0.7 * filled, 10, "contours instead of colour")
    page.keyboard.press("c")
    page.keyboard.press("e")
    wait_for(lambda: page.evaluate(PAINTED)["painted"] == 0, 10, "the plain film")
    page.keyboard.press("e")
    wait_for(lambda: page.evaluate(PAINTED)["painted"] > 1000, 10, "the overlay again")
    paint_by_hand_and_by_key(page)
    doctor.check("explained-study")
    page.wait_for_selector("#findings .badge-success:has-text('checked'), #findings .badge-warning", timeout=120_000)
    in_full(doctor)


def paint_by_hand_and_by_key(page: Any) -> None:
    page.keyboard.press("b")
    page.click("[data-ask]")
    expect(page.locator("[data-answer]")).to_contain_text("Mark an area first")
    box = page.locator("#viewport").bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.7 * box["height"], steps=12)
    page.mouse.up()
    page.click("[data-ask]")
    wait_for(lambda: "with the area masked" in page.inner_text("[data-answer]"), 30, "the answer")
    page.click("[data-clear]")
    expect(page.locator("[data-answer]")).to_be_empty()
    page.focus("#viewport")
    for key in ("ArrowRight", "Shift+ArrowDown", " ", "Enter"):
        page.keyboard.press(key)
    wait_for(lambda: "with the area masked" in page.inner_text("[data-answer]"), 30, "the answer to the keys")
    page.focus("#viewport")
    page.keyboard.press("Escape")
    expect(page.locator("#brush")).to_be_hidden()


def in_full(doctor: Any) -> None:
    page = doctor.page
    page.click("a:has-text('Details') >> nth=0")
    page.wait_for_selector("text=What would change the result")
    before = page.get_attribute("[data-overlay]", "src")
    page.check("[name=contours]")  # at once: the page's script may not have run yet
    wait_for(lambda: page.get_attribute("[data-overlay]", "src") != before, 20, "contours")
    doctor.check("explanation")
    with page.expect_download() as download:
        page.click("a:has-text('DICOM Parametric Map')")
    assert Path(download.value.path()).read_bytes()[128:132] == b"DICM"
    page.select_option("[name=method]", "gradient")
    doctor.send("form:has([name=method]) button:has-text('Explain')")
    page.wait_for_selector("text=Weak explanation: do not rely on it", timeout=120_000)
    page.go_back()
    page.wait_for_selector("text=What would change the result")


def test_a_volume_is_explained_slice_by_slice(visit: Any, tmp_path: Path) -> None:
    doctor = visit().sign_in("doctor")
    page = doctor.page
    files = []
    for number, content in enumerate(chest_files(mrn="CT-9")):
        files.append(tmp_path / f"slice-{number:02}.dcm")
        files[-1].write_bytes(content)
    doctor.upload(*files)
    link = page.locator("#outcomes a[aria-label^='Open study']")
    expect(link).to_have_count(1)  # one row for the study, not one for each slice
    link.click()
    page.wait_for_selector("[data-explanation]", timeout=240_000).click()
    wait_for(lambda: page.evaluate(PAINTED)["painted"] > 1000, 90, "the overlay on the strongest slice")
    position = page.inner_text("#position")
    page.wait_for_selector("#findings .badge-success:has-text('checked'), #findings .badge-warning", timeout=120_000)
    page.focus("#viewport")
    strongest = page.evaluate(PAINTED)["painted"]
    for _ in range(len(files)):
        page.keyboard.press("ArrowUp")
    expect(page.locator("#position")).not_to_have_text(position)
    wait_for(lambda: page.evaluate(PAINTED)["painted"] < strongest / 2, 10, "less evidence far from the nodule")
    doctor.check("explained-volume")
    page.reload()
    button = page.locator("[data-explanation]").first

    def pressed() -> bool:
        if button.get_attribute("aria-pressed") != "true":
            button.click()
        return button.get_attribute("aria-pressed") == "true"

    wait_for(pressed, 20, "the viewer")
    wait_for(lambda: page.evaluate(PAINTED)["painted"] > 1000, 30, "who is quicker than the slices gets there too")
    assert not page.inner_text("#position").startswith("Image 1 of")
    page.click("a:has-text('Details') >> nth=0")
    page.wait_for_selector("text=From head to feet")
    for view in ("coronal", "sagittal", "axial"):
        page.locator(f"img[data-overlay={view}]").scroll_into_view_if_needed()
        picture = f"document.querySelector('img[data-overlay={view}]').naturalWidth"
        wait_for(lambda picture=picture: page.evaluate(picture) > 0, 20, view)
    page.evaluate("scrollTo(0, 0)")
    doctor.check("volume-explanation")
    page.set_viewport_size({"width": 390, "height": 844})
    doctor.check("volume-explanation-phone")


@pytest.mark.parametrize(("scheme", "width", "language"), [("light", 1400, "en"), ("dark", 390, "zh-hans")])
def test_pages_of_explanations_pass_axe(
    visit: Any, abnormal_study: str, scheme: str, width: int, language: str
) -> None:
    doctor = visit(viewport={"width": width, "height": 844}, color_scheme=scheme).sign_in("doctor")
    page = doctor.page
    doctor.go(abnormal_study)
    page.wait_for_selector("#findings .badge-success:has-text('checked'), #findings .badge-warning", timeout=240_000)
    page.select_option("#language", language)
    page.wait_for_selector(f"html[lang={language}]", state="attached")
    tag = f"{scheme}-{width}"
    page.wait_for_selector("#viewport[data-ready]", state="attached")
    page.click("[data-explanation] >> nth=0")
    page.wait_for_selector("#overlay-controls:not(.hidden)")
    doctor.check(f"study-{tag}")
    page.click("#findings a[href^='/explanations/'] >> nth=0")
    page.wait_for_selector("[data-overlay]")
    doctor.check(f"explanation-{tag}")
    model = "/explanations/models/cxr-pneumonia/1.1.1"
    for name, path in (("explainers", f"{model}/explainers/"), ("attention", f"{model}/attention/")):
        doctor.go(path)
        doctor.check(f"{name}-{tag}")
    doctor.go("/explanations/models/diabetes-progression/1.0.0/try/")
    doctor.check(f"row-form-{tag}")
    page.fill("[name=bmi]", "38")
    doctor.send("main button[type=submit]")
    page.wait_for_selector("#trial polyline", timeout=60_000, state="attached")
    doctor.check(f"row-{tag}")
    doctor.go("/explanations/models/note-specialty/1.0.0/try/")
    page.fill("[name=text]", "Renal ultrasound shows no evidence of stone. Follow up in urology.")
    doctor.send("main button[type=submit]")
    page.wait_for_selector("#trial .negated", timeout=60_000)
    doctor.check(f"text-{tag}")


def test_another_team_gets_nothing_of_an_explanation(visit: Any, abnormal_study: str) -> None:
    doctor = visit().sign_in("doctor")
    doctor.go(abnormal_study)
    doctor.page.wait_for_selector("#findings a[href^='/explanations/']", timeout=240_000)
    path = doctor.page.get_attribute("#findings a[href^='/explanations/']", "href")
    other = visit().sign_in("doctor2")
    other.go(path)
    assert "Page not found" in other.page.inner_text("main")
    film = path.replace("/explanations/", "/api/v1/explanations/") + "film.png"
    assert other.page.request.get(other.home + film).status == 404

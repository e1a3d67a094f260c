"""A doctor works through a case: from a study to notes, values, risk and a signed report."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.factories import film_file
from tests.journeys.services import wait_for

pytestmark = pytest.mark.needs("chromium")

NOTE = (
    "HISTORY: 70-year-old with cough. She denies fever.\nIMPRESSION: There is no pneumonia. Possible bronchitis.\n"
    "PLAN: Ibuprofen 400 mg as needed."
)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.bin"
    said = {
        "mrn": f"C-{tmp_path.name}",
        "name": "Case^Cara",
        "birth_date": date(1955, 2, 1),
        "study_date": date(1959, 3, 2),
    }
    path.write_bytes(film_file(3, pattern="focal", size=512, identity=[str(tmp_path)], **said))
    return path


@pytest.fixture
def values(tmp_path: Path) -> Path:
    now = timezone.now()
    rows = ["time,code,value,unit", "yesterday,8867-4,80,/min"]
    for hour in range(20):
        at = (now - timedelta(hours=20 - hour)).strftime("%Y-%m-%d %H:%M")
        rows += [
            f"{at},8867-4,{90 + 2 * hour},/min",
            f"{at},2524-7,{1 + hour / 5:.1f},mmol/L",
            f"{at},9269-2,{15 - hour // 4},",
        ]
    path = tmp_path / "values.csv"
    path.write_text("\n".join(rows))
    return path


def open_case(visitor: Any, film: Path) -> str:
    """Upload a film, open its case; the case's address."""
    visitor.upload(film)
    visitor.page.click("#outcomes a[data-study]")
    visitor.page.wait_for_selector("#viewport[data-ready]", state="attached")
    visitor.page.wait_for_selector("[data-explanation]", timeout=240_000)
    visitor.send("a[href*='/cases/new/']")
    started = (timezone.now() - timedelta(hours=21)).strftime("%Y-%m-%dT%H:%M")
    visitor.page.fill("#id_started_at", started)
    visitor.send("main form button[type=submit]")
    return visitor.page.url.removeprefix(visitor.home)


def test_from_a_study_to_a_signed_report(visit: Any, film: Path, values: Path) -> None:
    doctor = visit().sign_in("doctor")
    page = doctor.page
    case = open_case(doctor, film)

    doctor.go(f"{case}notes/")
    page.fill("#id_text", "A draft that is not sent")
    wait_for(lambda: "Draft saved" in page.inner_text("[data-draft-state]"), 20, "the draft")
    doctor.go(f"{case}notes/")
    assert page.input_value("#id_text") == "A draft that is not sent"
    page.fill("#id_text", NOTE)
    doctor.send("form[data-drafts] button[type=submit]")
    page.wait_for_selector("#understood div .said-problem", timeout=120_000)
    assert page.locator(".said-negated:has-text('pneumonia')").count() == 1
    page.click("li:has-text('Ibuprofen') button:has-text('Confirm')")
    page.wait_for_selector("li:has-text('Ibuprofen') .badge:has-text('confirmed')")
    assert not doctor.axe()

    doctor.go(f"{case}values/")
    page.click("summary:has-text('Import a file')")
    page.set_input_files("#id_file", str(values))
    doctor.send("button:has-text('Preview')")
    assert "60 rows can be imported, 1 cannot" in page.inner_text("main")
    doctor.send("button:has-text('Import 60 rows')")
    wait_for(lambda: page.locator(".trend canvas").count() >= 3, 20, "the trends")
    assert not doctor.axe()

    doctor.go(f"{case}risk/")
    page.wait_for_selector("#course canvas", timeout=180_000)
    wait_for(lambda: page.locator("#risk [role=status]:has-text('Recalculating')").count() == 0, 120, "all models")
    coma = page.locator("input[name='v-GCS']")
    coma.focus()
    for _press in range(6):
        coma.press("ArrowLeft")
    wait_for(
        lambda: "with these values" in (page.locator("#what-if [data-answer]").text_content() or ""), 60, "the what-if"
    )
    assert not doctor.axe()

    doctor.go(case)
    assert "the note denies Pneumonia" in page.inner_text("main")
    page.wait_for_selector("#summary li", timeout=60_000)
    doctor.go("/worklist/")
    assert "Note and model disagree" in page.inner_text("#rows")

    doctor.go(f"{case}reports/")
    doctor.send("button:has-text('Start report')")
    page.fill("#section-findings", "Opacity in the right lower zone.")
    page.fill("#section-impression", "Pneumonia.")
    page.check("input[name=image] >> nth=0")
    doctor.send("button:has-text('Sign final report')")
    assert "Final" in page.inner_text("main")
    with page.expect_download() as download:
        page.click("a:has-text('PDF') >> nth=0")
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(("width", "scheme", "locale"), [(390, "light", "zh-CN"), (1400, "dark", "en-GB")])
def test_pages_of_a_case_pass_axe(visit: Any, film: Path, width: int, scheme: str, locale: str) -> None:
    visitor = visit(viewport={"width": width, "height": 844}, color_scheme=scheme, locale=locale).sign_in("doctor")
    case = open_case(visitor, film)
    visitor.go(f"{case}notes/")
    visitor.page.fill("#id_text", NOTE)
    visitor.send("form[data-drafts] button[type=submit]")
    visitor.page.wait_for_selector("#understood div .said-problem", timeout=120_000)
    visitor.check(f"case-note-{width}")
    for part in ("", "notes/", "values/", "timeline/", "risk/", "reports/", "team/", "change/"):
        visitor.go(f"{case}{part}")
        visitor.check(f"case-{part.strip('/') or 'overview'}-{width}")
    visitor.go("/cases/")
    visitor.check(f"case-list-{width}")
    if locale == "zh-CN":
        assert "病例" in visitor.page.inner_text("main")

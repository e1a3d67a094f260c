"""Emergency access, consent, exports, log-ins and erasure, each by the people they concern."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pydicom
import pytest

from apps.synthetic.radiograph import Pattern
from tests.factories import film_file
from tests.journeys.conftest import Visitor

pytestmark = pytest.mark.needs("chromium")

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def film(folder: Path, number: int, mrn: str, name: str, pattern: Pattern = "normal") -> Path:
    """A film; with pattern "focal" the model finds something, which is then explained."""
    path = folder / "film.dcm"
    path.write_bytes(film_file(number, pattern=pattern, size=448, mrn=mrn, name=name, identity=[str(folder)]))
    return path


def store(doctor: Visitor, path: Path) -> str:
    """Upload a film; the path of its study's page."""
    doctor.upload(path)
    address = doctor.page.locator("#outcomes a[data-study]").get_attribute("href")
    assert address
    return address


def test_emergency_access_is_told_shown_and_reviewed(visit: Any, tmp_path: Path) -> None:
    doctor = visit().sign_in("doctor")
    study = store(doctor, film(tmp_path, 11, "EM-1", "Rescue^Rita"))
    helper = visit(**PHONE, color_scheme="dark").sign_in("doctor2")
    page = helper.page
    helper.go("/emergency/")
    helper.check("emergency-phone-dark")
    page.fill("#id_mrn", "EM-2")
    page.fill("#id_reason", "Unconscious in the emergency room, nobody of the team reachable")
    helper.send("main form button[type=submit]")
    assert "No record has exactly this MRN" in page.inner_text("main")
    helper.go(study)
    assert "Page not found" in page.inner_text("main")
    helper.go("/emergency/")
    page.fill("#id_mrn", "EM-1")
    page.fill("#id_reason", "Unconscious in the emergency room, nobody of the team reachable")
    helper.send("main form button[type=submit]")
    assert "Rita Rescue" in page.inner_text("main h1")
    assert "Break-glass access to the record of Rita Rescue" in page.inner_text("body")
    helper.check("emergency-record-phone-dark")
    helper.go(study)
    page.wait_for_selector("#viewport[data-ready]", state="attached")
    assert "Break-glass access to the record" in page.inner_text("body")
    helper.check("emergency-study-phone-dark")

    doctor.go("/accounts/notices/")
    assert "Dr. Lin Zhou opened a record of your care team" in doctor.page.inner_text("main")
    doctor.check("notices")

    auditor = visit().sign_in("auditor")
    auditor.check("auditor")
    auditor.go("/audit/emergencies/")
    auditor.check("emergencies")
    auditor.send("a:has-text('Review') >> nth=0")
    assert "Unconscious in the emergency room" in auditor.page.inner_text("main")
    assert "Rescue" not in auditor.page.content()
    auditor.check("emergency-review")
    auditor.page.check("input[value=justified]")
    auditor.send("button:has-text('Save assessment')")
    helper.go("/accounts/notices/")
    assert "was reviewed: justified" in page.inner_text("main")

    page.click("text=Open the record")
    helper.send("button:has-text('Close access now')")
    helper.go(study)
    assert "Page not found" in page.inner_text("main")

    auditor.go("/audit/")
    auditor.send("button:has-text('Verify chain')")
    assert "The chain is intact" in auditor.page.inner_text("h1")
    auditor.check("trail-verified")
    auditor.go("/audit/")
    with auditor.page.expect_download() as download:
        auditor.page.click("text=Export as FHIR")
    assert '"AuditEvent"' in Path(download.value.path()).read_text()


def test_consent_withdrawn_and_given_and_an_export_for_research(visit: Any, tmp_path: Path) -> None:
    doctor = visit().sign_in("doctor")
    page = doctor.page
    study = store(doctor, film(tmp_path, 12, "CO-1", "Consent^Cora", pattern="focal"))
    doctor.go(study)
    page.wait_for_selector("[data-explanation]", timeout=240_000)
    doctor.send("text=Record and consents")
    doctor.check("record")
    page.click("button:has-text('Withdraw'):has-text('Analysis by AI models')")
    doctor.go(study)
    page.wait_for_selector("text=The patient has not consented to analysis")
    assert page.locator("[data-explanation]").count() == 0
    doctor.send("text=Record and consents")
    page.click("button:has-text('Give consent'):has-text('Analysis by AI models')")
    doctor.go(study)
    page.wait_for_selector("[data-explanation]", timeout=240_000)

    doctor.send("button:has-text('Export de-identified')")
    page.wait_for_selector("text=The patient has not consented to research", timeout=60_000)
    doctor.go(study)
    doctor.send("text=Record and consents")
    page.click("button:has-text('Give consent'):has-text('Research')")
    doctor.go(study)
    doctor.send("button:has-text('Export de-identified')")
    page.wait_for_selector("a:has-text('Download')", timeout=240_000)
    doctor.check("exports")

    researcher = visit().sign_in("researcher")
    researcher.check("exports-researcher")
    with researcher.page.expect_download() as download:
        researcher.page.click("a:has-text('Download') >> nth=0")
    with zipfile.ZipFile(download.value.path()) as archive:
        inside = [pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist() if "dcm" in name]
    assert len(inside) == 1 and inside[0].PatientIdentityRemoved == "YES"
    assert "Consent" not in str(inside[0]) and "CO-1" not in str(inside[0])
    researcher.go(study)
    assert "Page not found" in researcher.page.inner_text("main")

    doctor.go(study)
    doctor.send("text=Record and consents")
    doctor.send("button:has-text('Withdraw'):has-text('Treatment by')")
    assert "loses access to the whole record immediately" in page.inner_text("main")
    doctor.check("confirm")
    doctor.send("text=Back")
    doctor.send("button:has-text('Withdraw'):has-text('Treatment by')")
    doctor.send("main button[name=sure]")
    doctor.go(study)
    assert "Page not found" in page.inner_text("main")


def test_from_a_new_account_to_the_erased_record(visit: Any, tmp_path: Path) -> None:
    doctor = visit().sign_in("doctor")
    study = store(doctor, film(tmp_path, 13, "ER-1", "Erase^Erik"))
    admin = visit().sign_in("admin")
    page = admin.page
    admin.check("admin")
    for path in ("users/", "sessions/", "keys/", "consents/", "records/", "teams/new/"):
        admin.go(f"/administration/{path}")
        admin.check(f"admin-{path.strip('/').replace('/', '-')}")

    admin.go("/administration/users/new/")
    page.fill("#id_username", "erik")
    page.select_option("#id_role", "patient")
    admin.send("main form button[type=submit]")
    given = page.inner_text("[role=status] code")
    admin.check("admin-password")

    admin.go("/administration/records/")
    page.fill("#id_mrn", "ER-1")
    admin.send("main form button[type=submit]")
    assert "Erik" not in page.inner_text("main")
    page.fill("#id_username", "erik")
    admin.send("form[action*=login] button")
    assert "login account has been saved" in page.inner_text("main")
    admin.check("admin-record")

    patient = visit(**PHONE, locale="zh-CN")
    patient.give_password("erik", given)
    patient.go("/me/")
    assert "/password/change/" in patient.page.url
    patient.check("first-password-phone-zh")
    patient.page.fill("#id_oldpassword", given)
    for field, password in (("#id_password1", "a tall dark green hedge"), ("#id_password2", "a tall dark green hedge")):
        patient.page.fill(field, password)
    patient.send("main form:has(#id_password1) button[type=submit]")
    patient.go("/me/")
    assert "Erik Erase" in patient.page.inner_text("main")
    patient.go("/me/record/")
    assert "谁查看过您的病历" in patient.page.inner_text("main")
    patient.check("patient-phone-zh")
    patient.send("form:has(input[value=portal]) button")
    patient.check("patient-confirm-phone-zh")
    patient.send("main button[name=sure]")
    assert "您已关闭患者门户" in patient.page.inner_text("main")
    patient.send("main form button:has-text('重新开放')")
    assert "Erik Erase" in patient.page.inner_text("main")

    record = page.url
    page.fill("#id_reason", "Court order")
    admin.send("button:has-text('Place legal hold')")
    assert page.locator("button:has-text('Erase permanently')").count() == 0
    admin.send("button:has-text('Lift legal hold')")
    page.fill("#id_mrn", "ER-2")
    admin.send("button:has-text('Erase permanently')")
    assert "This does not match the record's MRN" in page.inner_text("main")
    page.fill("#id_mrn", "ER-1")
    admin.send("button:has-text('Erase permanently')")
    assert "has been erased" in page.inner_text("main")
    page.goto(record)
    assert "Page not found" in page.inner_text("main")
    doctor.go(study)
    assert "Page not found" in doctor.page.inner_text("main")
    patient.page.reload()
    assert patient.page.locator("#id_login").is_visible()


@pytest.mark.parametrize("username", ["admin", "auditor", "researcher"])
def test_the_consoles_on_a_phone_in_the_dark_in_chinese(visit: Any, username: str) -> None:
    visitor = visit(**PHONE, color_scheme="dark", locale="zh-CN").sign_in(username)
    pages = {
        "admin": "administration administration/users administration/users/1 administration/sessions "
        "administration/keys administration/consents administration/records",
        "auditor": "audit audit/emergencies",
        "researcher": "imaging/exports",
    }[username]
    for page in f"{pages} accounts/tokens accounts/2fa accounts/sessions accounts/notices".split():
        visitor.go(f"/{page}/")
        visitor.check(f"zh-{username}-{page.replace('/', '-')}")

"""From a film to what a patient reads on a phone: every state a recommendation can be in."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.factories import film_file
from tests.journeys.conftest import Visitor
from tests.journeys.services import PASSWORD, Site, wait_for

pytestmark = pytest.mark.needs("chromium")

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
LINK = """
from apps.accounts.actors import System
from apps.accounts.models import Role, User
from apps.patients.portal_account import link_account
from apps.patients.queries import with_identity
user = User.objects.create_user("pia", password="{password}", role=Role.PATIENT)
link_account(with_identity("{mrn}", ""), user, actor=System("a journey"))
"""
TIME_PASSES = """
from datetime import date
from apps.recommendations.maintenance import expire
from apps.recommendations.models import Recommendation
Recommendation.objects.filter(item__code="{code}").update(due=date(2020, 1, 1))
print(expire())
"""


@pytest.fixture
def record(site: Site, visit: Any, tmp_path: Path) -> str:
    """The record of a woman of 66, with a log-in; the address of her recommendations."""
    path, mrn = tmp_path / "film.dcm", f"R-{tmp_path.name}"
    said = {"mrn": mrn, "name": "Phone^Pia", "birth_date": date(1960, 5, 4), "identity": [str(tmp_path)]}
    path.write_bytes(film_file(21, size=448, **said))
    doctor = visit().sign_in("doctor")
    doctor.upload(path)
    doctor.send("#outcomes a[data-study]")
    address = doctor.page.locator("a[href*='/records/']").first.get_attribute("href")
    assert address
    site.manage("shell", "-c", LINK.format(password=PASSWORD, mrn=mrn))
    return address.replace("/records/", "/recommendations/patients/")


def release_all(doctor: Visitor, address: str) -> None:
    """Ask the rules, then approve and release by keyboard alone."""
    page = doctor.page
    doctor.go(address)
    page.click("button:has-text('Check guidelines now')")
    page.wait_for_selector("#of-patient a:has-text('Mammography')", timeout=120_000)
    doctor.check("recommendations-patient")
    doctor.send("main a:has-text('Review recommendations')")
    queue = page.url.removeprefix(doctor.home)
    doctor.check("recommendations-queue")
    page.focus(".queue-row:has-text('Mammography') input")
    page.keyboard.press("x")
    page.focus(".queue-row:has-text('Flu vaccination') input")
    page.keyboard.press("x")
    expect(page.locator("[data-chosen]")).to_contain_text("2 selected")
    with page.expect_navigation():
        page.keyboard.press("a")
    assert "2 decided." in page.inner_text("main")
    doctor.go(f"{queue}&tab=approved")
    page.focus(".queue-row input")
    page.keyboard.press("j")
    page.check("[data-all]")
    page.focus(".queue-row input")
    with page.expect_navigation():
        page.keyboard.press("r")
    doctor.go(queue)
    for words in ("Colorectal cancer screening", "Shingles vaccination", "Bone density scan"):
        with page.expect_navigation():
            page.click(f".queue-row:has-text('{words}') a[data-open]")
        doctor.send("button[value=release]")
        doctor.check("recommendation-released")
        doctor.go(queue)


def open_one(patient: Visitor, words: str) -> None:
    patient.go("/me/")
    with patient.page.expect_navigation():
        patient.page.click(f"main a:has-text('{words}')")


def test_from_rules_to_a_patients_phone_and_back(site: Site, visit: Any, record: str) -> None:
    doctor = visit().sign_in("doctor")
    early = visit(**PHONE).sign_in("pia")
    assert "There is nothing you need to do now" in early.page.inner_text("main")
    early.check("patient-nothing-phone")
    release_all(doctor, record)

    patient = visit(**PHONE, color_scheme="dark").sign_in("pia")
    page = patient.page
    patient.go("/me/")
    assert page.locator("main ul a.panel").count() == 5 and page.locator(".badge:has-text('new')").count() == 5
    patient.check("patient-home-phone-dark")
    open_one(patient, "Mammography")  # seen, accepted, done, helpful
    assert "Dr. Ada Brenner reviewed this" in page.inner_text("main")
    patient.check("patient-recommendation-phone-dark")
    patient.send("button[value=accepted]")
    assert "Have you done it?" in page.inner_text("main")
    patient.send("button[value=done]")
    patient.send("button[value=helpful]")
    assert page.locator("button[value=helpful][aria-pressed=true]").count() == 1
    patient.check("patient-done-phone-dark")
    page.go_back()
    page.go_back()

    open_one(patient, "Colorectal cancer screening")  # declined, with a reason
    page.click("summary:has-text('No, thank you')")
    page.fill("#reason", "I had one last month")
    patient.send("button[value=declined]")
    assert page.locator("button[value=accepted]").count() == 0
    patient.go("/me/")
    assert page.locator("main ul a.panel").count() == 3

    queue = f"/recommendations/?patient={record.rstrip('/').rsplit('/', 1)[1]}"
    doctor.go(f"{queue}&tab=out")  # taken back by a doctor
    with doctor.page.expect_navigation():
        doctor.page.click(".queue-row:has-text('Shingles vaccination') a[data-open]")
    doctor.page.fill("#reason", "Released by mistake")
    doctor.send("button[value=recall]")
    site.manage("shell", "-c", TIME_PASSES.format(code="bone-density"))  # its time is over
    patient.go("/me/")
    page.click("summary:has-text('Earlier')")
    patient.check("patient-earlier-phone-dark")
    with page.expect_navigation():
        page.click("main details a:has-text('Shingles')")
    assert "has withdrawn this" in page.inner_text("main") and "mistake" not in page.inner_text("main")
    patient.check("patient-recalled-phone-dark")
    patient.go("/me/")
    page.click("summary:has-text('Earlier')")
    with page.expect_navigation():
        page.click("main details a:has-text('Bone density')")
    assert "The time for this has passed" in page.inner_text("main")

    doctor.go(f"{queue}&tab=closed")
    assert "Declined" in doctor.page.inner_text("main") and "Expired" in doctor.page.inner_text("main")
    with doctor.page.expect_navigation():
        doctor.page.click(".queue-row:has-text('Colorectal cancer screening') a[data-open]")
    assert "I had one last month" in doctor.page.inner_text("main")
    doctor.check("recommendation-declined")
    visits_and_questions(doctor, patient, record)
    other_pages(patient)


def visits_and_questions(doctor: Visitor, patient: Visitor, record: str) -> None:
    page = patient.page
    doctor.go(record)
    doctor.send("main a:has-text('Appointments')")
    doctor.page.fill("#id_title", "Talk about the results")
    doctor.page.fill("#id_starts_at", "2031-05-04T09:30")
    doctor.send("main form button:has-text('Book')")
    doctor.check("appointments")
    patient.go("/me/")
    assert "Talk about the results" in page.inner_text("main")
    patient.send("main a:has-text('Your next visit')")
    patient.send("button:has-text('I will come')")
    patient.check("patient-appointments-phone-dark")
    with page.expect_download() as file:
        page.click("a:has-text('Add to my calendar')")
    assert "SUMMARY:Talk about the results" in Path(file.value.path()).read_text()
    patient.go("/me/questions/")
    page.fill("#text", "May I eat before the scan?")
    patient.send("main form button:has-text('Send')")
    doctor.go("/contact/")
    doctor.check("inbox")
    question = doctor.page.locator("li:has-text('May I eat before the scan?')")
    question.locator("textarea").fill("Yes, you may.")
    with doctor.page.expect_navigation():
        question.locator("button:has-text('Send')").click()
    patient.go("/me/questions/")
    assert "Yes, you may." in page.inner_text("main")
    patient.check("patient-questions-phone-dark")


def other_pages(patient: Visitor) -> None:
    """Chinese, large type, the record's page, and an app that keeps nothing clinical."""
    page = patient.page
    patient.go("/me/record/")
    patient.check("patient-record-phone-dark")
    patient.send("button:has-text('Large text')")
    patient.check("patient-record-large-phone-dark")
    with page.expect_navigation():
        page.select_option("#language", "zh-hans")
    patient.go("/me/")
    assert "我们的建议" in page.inner_text("main")
    patient.check("patient-home-chinese-large-phone-dark")
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    patient.go("/me/results/")
    kept = page.evaluate(
        "async () => (await Promise.all((await caches.keys()).map(async (name) =>"
        " (await (await caches.open(name)).keys()).map((one) => new URL(one.url).pathname)))).flat()"
    )
    assert kept and all(path.startswith("/static/assets/") or path == "/offline/" for path in kept), kept
    patient.context.set_offline(True)
    page.goto(f"{patient.home}/me/")
    assert "MedPortal" in page.inner_text("h1, main") and "Pia" not in page.content()
    patient.context.set_offline(False)
    patient.complaints[:] = [text for text in patient.complaints if "ERR_INTERNET_DISCONNECTED" not in text]
    wait_for(lambda: patient.page.evaluate("navigator.onLine"), 10, "the network")


def test_an_administrator_keeps_the_guidelines(visit: Any) -> None:
    admin = visit().sign_in("admin")
    page = admin.page
    admin.go("/recommendations/guidelines/")
    assert page.locator("tbody tr").count() >= 30
    admin.check("guidelines")
    with page.expect_navigation():
        page.click("a:has-text('uspstf-colorectal-50')")
    assert page.locator(".badge:has-text('passes')").count() >= 2
    page.fill("#id_condition", "age >= 500")
    admin.send("button[value=try]")
    assert page.locator(".badge:has-text('fails')").count() >= 1
    admin.check("guideline-rule")
    admin.go("/recommendations/guidelines/items/mammography/")
    admin.check("guideline-item")

from __future__ import annotations

import io

import pydicom
import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from fhir.resources.diagnosticreport import DiagnosticReport

from apps.accounts.models import User
from apps.inference.jobs import analyse
from apps.inference.models import Verdict
from apps.inference.review import review
from apps.inference.routing import route
from apps.jobs.errors import UserError
from apps.records.conflicts import EditConflict
from apps.records.models import Case
from apps.reports import authoring, report_content
from apps.reports.export.pdf import pdf
from apps.reports.models import Report, ReportState
from tests.case_factories import measured
from tests.factories import browser_of

TEXTS = {"findings": "Opacity in the right lower zone.", "impression": "Pneumonia of the right lower lobe."}


@pytest.fixture
def report(case: Case, doctor: User, packages: None) -> Report:
    """A report of an analysed study, saved but not issued."""
    analysis = route(case.studies.get().series.get(), urgent=True)[0]
    analyse(str(analysis.pk))
    review(analysis.findings.get(label="pneumonia"), Verdict.AGREE, actor=doctor)
    measured(case, hours=3)
    with override("en"):
        begun = authoring.begin(case, study=case.studies.get(), actor=doctor)
    assert begun.template == "chest-film" and "Lungs:" in begun.content["sections"]["findings"]
    choice = [str(row.pk) for row in report_content.choosable(begun.study, doctor)][:1]
    return authoring.save(begun, TEXTS, choice, revision=1, actor=doctor)


def test_issued_amended_and_every_version_kept(report: Report, doctor: User, nurse: User) -> None:
    with pytest.raises(PermissionError):
        authoring.issue(report, ReportState.FINAL, revision=2, actor=nurse)
    with pytest.raises(EditConflict):
        authoring.issue(report, ReportState.FINAL, revision=1, actor=doctor)
    authoring.issue(report, ReportState.PRELIMINARY, revision=2, actor=doctor)
    authoring.issue(report, ReportState.FINAL, revision=2, actor=doctor)
    with pytest.raises(UserError) as refusal:
        authoring.save(report, {**TEXTS, "impression": "Normal."}, [], revision=2, actor=doctor)
    assert refusal.value.code == "report_signed"
    changed = {**TEXTS, "impression": "Pneumonia of the left lower lobe."}
    with pytest.raises(UserError):
        authoring.amend(report, changed, [], reason=" ", revision=2, actor=doctor)
    authoring.amend(report, changed, [], reason="The side was wrong.", revision=2, actor=doctor)
    versions = list(report.versions.order_by("number"))
    assert [version.state for version in versions] == ["preliminary", "final", "amended"]
    assert versions[1].content["sections"]["impression"].endswith("right lower lobe.")
    ai = versions[1].content["ai"]
    assert any(row["verdicts"] and row["verdicts"][0].startswith("agree:") for row in ai)
    page = browser_of(doctor).get(reverse("reports:report-print", args=[report.case_id, report.pk, 3])).content.decode()
    assert "The side was wrong." in page and "<del" in page and "<ins" in page


def test_a_report_without_an_impression_is_not_issued(case: Case, doctor: User) -> None:
    report = authoring.begin(case, study=None, actor=doctor)
    with pytest.raises(UserError) as refusal:
        authoring.issue(report, ReportState.FINAL, revision=1, actor=doctor)
    assert refusal.value.code == "report_incomplete"


def test_what_was_typed_is_kept_when_somebody_saved_meanwhile(report: Report, doctor: User, radiologist: User) -> None:
    authoring.save(report, {**TEXTS, "impression": "Theirs."}, [], revision=2, actor=radiologist)
    url = reverse("reports:report", args=[report.case_id, report.pk])
    answer = browser_of(doctor).post(url, {**TEXTS, "impression": "Mine.", "revision": "2", "act": "final"})
    page = answer.content.decode()
    assert answer.status_code == 409 and "Mine" in page and "Theirs" in page
    report.refresh_from_db()
    assert report.state == ReportState.DRAFT and report.content["sections"]["impression"] == "Theirs."


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_pdf_in_both_languages(report: Report, doctor: User, language: str) -> None:
    version = authoring.issue(report, ReportState.FINAL, revision=2, actor=doctor)
    client = Client(headers={"Accept-Language": language})
    client.force_login(doctor)
    answer = client.get(reverse("reports:report-pdf", args=[report.case_id, report.pk, version.number]))
    assert answer["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF-")
    assert len(answer.content) > 10_000


def test_a_report_fetches_nothing_from_anywhere(tmp_path: object) -> None:
    html = "<p>x</p><img src='file:///etc/passwd'><img src='http://127.0.0.1:9/x'><link rel=stylesheet href='http://127.0.0.1:9'>"
    made = pdf(f"<!DOCTYPE html><html lang=en><head><title>t</title></head><body>{html}</body></html>")
    assert made.startswith(b"%PDF-") and b"root:" not in made


def test_dicom_sr_carries_the_words_and_points_at_the_images(report: Report, doctor: User) -> None:
    url = reverse("reports:report-sr", args=[report.case_id, report.pk])
    assert browser_of(doctor).get(url).status_code == 302, "not issued yet"
    authoring.issue(report, ReportState.FINAL, revision=2, actor=doctor)
    found = pydicom.dcmread(io.BytesIO(browser_of(doctor).get(url).content))
    assert (
        found.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.22"
        and found.StudyInstanceUID == report.study.study_instance_uid
    )
    assert found.VerificationFlag == "VERIFIED" and found.CompletionFlag == "COMPLETE"
    text = found.to_json()
    assert "Pneumonia of the right lower lobe." in text and found.PatientID == "MRN-1"
    again = browser_of(doctor).get(url).content
    assert pydicom.dcmread(io.BytesIO(again)).SOPInstanceUID == found.SOPInstanceUID


def test_fhir_report_is_valid(report: Report, doctor: User) -> None:
    authoring.issue(report, ReportState.FINAL, revision=2, actor=doctor)
    answer = browser_of(doctor).get(reverse("reports:report-fhir", args=[report.case_id, report.pk]))
    resource = DiagnosticReport.model_validate(answer.json())
    assert resource.status == "final" and resource.conclusion == TEXTS["impression"]
    assert len(resource.result) == len(resource.contained) == 4

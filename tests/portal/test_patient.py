"""The patient's pages: what was released and nothing else, answers, downloads, and an app that keeps nothing
clinical."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from fhir.resources.bundle import Bundle

from apps.accounts.models import AuditEntry, Notice, User
from apps.cases import services
from apps.contact import appointments, patient_messages
from apps.inference.jobs import analyse
from apps.inference.routing import route
from apps.jobs.errors import UserError
from apps.patients.consent import record_consent
from apps.patients.models import ConsentState, Patient, Purpose
from apps.patients.portal_account import link_account
from apps.recommendations import review
from apps.recommendations.models import Recommendation, RecommendationState
from apps.records.models import Case
from apps.reports import authoring, report_release
from apps.reports.models import Report, ReportState, ReportVersion
from tests.factories import ACTOR, browser_of, film_file, take_in
from tests.recommendations.conftest import answered, guidelines  # noqa: F401  # a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("guidelines")]
PAGES = ("patient", "patient-results", "patient-appointments", "patient-questions", "patient-record")


@pytest.fixture
def case(patient: Patient, doctor: User) -> Case:
    started = timezone.now() - timedelta(hours=9)
    study = patient.studies.get()
    return services.open_case(patient, title="Cough", study=study, started_at=started, actor=doctor)


@pytest.fixture
def released(patient: Patient, doctor: User) -> Recommendation:
    return review.release(answered(patient)["screening"], revision=1, actor=doctor)


@pytest.fixture
def me(patient_user: User) -> Client:
    return browser_of(patient_user)


def signed(case: Case, doctor: User, impression: str = "No pneumonia.") -> tuple[Report, ReportVersion]:
    report = authoring.begin(case, study=case.studies.get(), actor=doctor)
    texts = {**report.content["sections"], "findings": "Clear lungs.", "impression": impression}
    report = authoring.save(report, texts, [], revision=report.revision, actor=doctor)
    return report, authoring.issue(report, ReportState.FINAL, revision=report.revision, actor=doctor)


def test_only_what_was_released_is_there(patient: Patient, released: Recommendation, me: Client) -> None:
    body = me.get(reverse("portal:patient")).content.decode()
    assert "We advise screening." in body and "We advise vaccine." not in body
    hidden = Recommendation.objects.get(item__code="vaccine")
    assert me.get(reverse("portal:patient-recommendation", args=[hidden.pk])).status_code == 404
    assert me.post(reverse("portal:patient-answer", args=[hidden.pk]), {"act": "done"}).status_code == 404


def test_seen_accepted_done_and_helpful(released: Recommendation, me: Client, doctor: User) -> None:
    url, answer = (reverse(f"portal:patient-{name}", args=[released.pk]) for name in ("recommendation", "answer"))
    body = me.get(url).content.decode()
    assert str(doctor) in body and "Guideline of screen-50" in body and "Grade" not in body
    released.refresh_from_db()
    assert released.state == RecommendationState.SEEN
    me.post(answer, {"act": "accepted"})
    me.post(answer, {"act": "accepted"})
    me.post(answer, {"act": "done"})
    me.post(answer, {"act": "helpful"})
    released.refresh_from_db()
    assert (released.state, released.helpful) == (RecommendationState.DONE, True)
    assert released.steps.filter(act="accepted").count() == 1
    late = me.post(answer, {"act": "declined", "reason": "x"}, follow=True).content.decode()
    assert "closed" in late
    assert me.post(answer, {"act": "explode"}).status_code == 404
    assert me.get(reverse("portal:patient")).status_code == 200


def test_declining_asks_for_a_reason(released: Recommendation, me: Client) -> None:
    url = reverse("portal:patient-answer", args=[released.pk])
    assert "Enter a reason" in me.post(url, {"act": "declined"}, follow=True).content.decode()
    me.post(url, {"act": "declined", "reason": "Not now"})
    released.refresh_from_db()
    assert released.state == RecommendationState.DECLINED and released.steps.get(act="declined").reason == "Not now"


def test_what_was_taken_back_says_so(released: Recommendation, me: Client, doctor: User) -> None:
    review.recall(released, "Mistake", revision=released.revision, actor=doctor)
    body = me.get(reverse("portal:patient-recommendation", args=[released.pk])).content.decode()
    assert "has withdrawn this" in body and "Mistake" not in body and 'value="accepted"' not in body


def test_another_patient_finds_nothing(released: Recommendation, case: Case, doctor: User, team: object) -> None:
    from apps.accounts.models import CareTeam, Role
    from tests.factories import UserFactory

    assert isinstance(team, CareTeam)
    other = UserFactory(username="other", role=Role.PATIENT)
    received = take_in(film_file(4, mrn="MRN-7", name="Other^Person"), team)
    assert received.instance is not None
    link_account(received.instance.series.study.patient, other, actor=ACTOR)
    told = report_release.release_report(signed(case, doctor)[1], "Your lungs are fine.", actor=doctor)
    visit = appointments.book(
        released.patient, title="x", place="", starts_at=timezone.now() + timedelta(days=1), minutes=5, actor=doctor
    )
    client = browser_of(other)
    for name, pk in (("recommendation", released.pk), ("report", told.pk), ("calendar", visit.pk)):
        assert client.get(reverse(f"portal:patient-{name}", args=[pk])).status_code == 404, name
    for name, pk in (("answer", released.pk), ("reply", visit.pk)):
        assert client.post(reverse(f"portal:patient-{name}", args=[pk])).status_code == 404, name
    for name in PAGES:
        body = client.get(reverse(f"portal:{name}")).content.decode()
        assert "screening" not in body and "lungs" not in body and "Lindqvist" not in body


def test_a_report_is_read_after_its_release_and_without_what_models_said(
    packages: None, patient: Patient, case: Case, doctor: User, nurse: User, me: Client
) -> None:
    analyse(str(route(case.studies.get().series.get(), urgent=True)[0].pk))
    report, version = signed(case, doctor)
    assert "Clear lungs." not in me.get(reverse("portal:patient-results")).content.decode()
    with pytest.raises(PermissionError):
        report_release.release_report(version, "x", actor=nurse)
    with pytest.raises(UserError, match="plain language"):
        report_release.release_report(version, " ", actor=doctor)
    staff = browser_of(doctor)
    staff.post(reverse("reports:report-tell", args=[case.pk, report.pk, 1]), {"words": "Your lungs are fine."})
    told = report_release.released_reports(doctor)[0]
    assert report_release.release_report(version, "Your lungs are fine.", actor=doctor).words == "Your lungs are fine."
    body = me.get(reverse("portal:patient-results")).content.decode()
    assert "Your lungs are fine." in body and "Clear lungs." in body and "cxr-pneumonia" not in body
    told = report_release.released_reports(doctor)[0]
    assert me.get(reverse("portal:patient-report", args=[told.pk])).content.startswith(b"%PDF")
    texts = {**report.content["sections"], "impression": "Small nodule."}
    now = Report.objects.get(pk=report.pk)
    authoring.amend(now, texts, [], reason="Second look", revision=now.revision, actor=doctor)
    assert "since changed this report" in me.get(reverse("portal:patient-results")).content.decode()
    staff.post(reverse("reports:report-untell", args=[case.pk, report.pk, 1]))
    assert "Clear lungs." not in me.get(reverse("portal:patient-results")).content.decode()
    assert me.get(reverse("portal:patient-report", args=[told.pk])).status_code == 404


def test_a_draft_is_never_told(case: Case, doctor: User) -> None:
    report = authoring.begin(case, study=case.studies.get(), actor=doctor)
    texts = {**report.content["sections"], "findings": "x", "impression": "y"}
    report = authoring.save(report, texts, [], revision=report.revision, actor=doctor)
    version = authoring.issue(report, ReportState.PRELIMINARY, revision=report.revision, actor=doctor)
    with pytest.raises(UserError, match="signed report"):
        report_release.release_report(version, "x", actor=doctor)


def test_everything_can_be_taken_home(
    patient: Patient, case: Case, released: Recommendation, doctor: User, patient_user: User, me: Client
) -> None:
    report_release.release_report(signed(case, doctor)[1], "Your lungs are fine.", actor=doctor)
    question = patient_messages.ask(patient, "May I work?", actor=patient_user)
    patient_messages.answer(question, "Yes.", actor=doctor)
    starts = timezone.now() + timedelta(days=2)
    appointments.book(patient, title="Check", place="Room 1", starts_at=starts, minutes=5, actor=doctor)
    record_consent(patient, Purpose.RESEARCH, ConsentState.GIVEN, actor=patient_user)
    answer = me.get(reverse("portal:patient-data"))
    bundle = json.loads(answer.content)
    Bundle.model_validate(bundle)
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds == ["Patient", "CarePlan", "Appointment", "Communication", "DiagnosticReport", "Consent"]
    text = answer.content.decode()
    assert "We advise screening." in text and "We advise vaccine." not in text and "May I work?" in text
    assert me.get(reverse("portal:patient-data-pdf")).content.startswith(b"%PDF")
    assert AuditEntry.objects.filter(action="data.downloaded", actor=patient_user).count() == 2


def test_appointments_and_questions(patient: Patient, doctor: User, me: Client) -> None:
    starts = timezone.now() + timedelta(days=2)
    visit = appointments.book(patient, title="Check", place="Room 1", starts_at=starts, minutes=5, actor=doctor)
    assert "Check" in me.get(reverse("portal:patient")).content.decode()
    me.post(reverse("portal:patient-reply", args=[visit.pk]), {"coming": "yes"})
    assert "You confirmed that you are coming" in me.get(reverse("portal:patient-appointments")).content.decode()
    appointments.cancel(visit, revision=2, actor=doctor)
    assert (
        "cancelled"
        in me.post(reverse("portal:patient-reply", args=[visit.pk]), {"coming": "no"}, follow=True).content.decode()
    )
    assert me.post(reverse("portal:patient-questions"), {"text": "May I work?"}).status_code == 302
    for number in range(patient_messages.MAX_OPEN_QUESTIONS - 1):
        me.post(reverse("portal:patient-questions"), {"text": f"And {number}?"})
    kept = me.post(reverse("portal:patient-questions"), {"text": "What I typed"})
    assert kept.status_code == 422 and "What I typed" in kept.content.decode()


def test_the_record_page(patient: Patient, me: Client, doctor: User) -> None:
    browser_of(doctor).get(reverse("portal:record", args=[patient.pk]))
    body = me.get(reverse("portal:patient-record")).content.decode()
    assert "MRN-1" in body and str(doctor) in body
    assert (
        "not a valid e-mail address"
        in me.post(reverse("portal:patient-mail"), {"address": "x"}, follow=True).content.decode()
    )
    assert (
        "sent you an e-mail"
        in me.post(reverse("portal:patient-mail"), {"address": "a@example.org"}, follow=True).content.decode()
    )
    assert 'data-type="large"' not in me.get(reverse("portal:patient-record")).content.decode()
    me.post(reverse("portal:patient-type"), {"type": "large"})
    assert 'data-type="large"' in me.get(reverse("portal:patient")).content.decode()
    me.post(reverse("portal:patient-type"), {"type": "normal"})
    assert 'data-type="large"' not in me.get(reverse("portal:patient")).content.decode()


def test_a_closed_page_shows_nothing_and_opens_again(patient: Patient, me: Client, patient_user: User) -> None:
    record_consent(patient, Purpose.PORTAL, ConsentState.WITHDRAWN, actor=patient_user)
    for name in PAGES[1:]:
        assert me.get(reverse(f"portal:{name}")).status_code == 302
    assert "MRN-1" not in me.get(reverse("portal:patient")).content.decode()
    me.post(reverse("portal:patient-consent"), {"purpose": "portal", "state": "1"})
    assert "Hello" in me.get(reverse("portal:patient")).content.decode()


def test_what_is_new_is_said_once(patient: Patient, doctor: User, patient_user: User) -> None:
    rows = answered(patient)
    for code in ("screening", "vaccine"):
        review.release(rows[code], revision=1, actor=doctor)
    assert Notice.objects.filter(user=patient_user, code="recommendation_told").count() == 1


def test_the_app_keeps_its_clothes_and_nothing_clinical(client: Client) -> None:
    manifest = client.get(reverse("portal:manifest-app")).json()
    assert manifest["display"] == "standalone" and {"192x192", "512x512"} <= {one["sizes"] for one in manifest["icons"]}
    worker = client.get(reverse("portal:service-worker"))
    script = worker.content.decode()
    assert worker["Content-Type"].startswith("text/javascript") and reverse("portal:offline") in script
    kept = re.search(r"if \(request\.mode .*?\n  \}\n", script, re.S)
    assert kept is not None and script.count(".put(") == 1 and "/static" in kept[0]
    assert client.get(reverse("portal:offline")).status_code == 200

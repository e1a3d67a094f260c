"""Every route of the project by every role, with another patient's ids: a new route without a row fails."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from apps.accounts.models import CareTeam, Role, User
from apps.accounts.tokens import make_token
from apps.cases.services import open_case
from apps.contact import appointments
from apps.contact.models import PatientRelease, Question, ReleaseKind
from apps.explainability import occlusion, playground
from apps.explainability.jobs import explain
from apps.explainability.models import Explanation
from apps.explainability.patient_release import release_explanation
from apps.explainability.scheduling import schedule_explanations
from apps.imaging import deidentify
from apps.imaging.jobs import make
from apps.imaging.models import QuarantinedFile
from apps.inference.jobs import analyse
from apps.inference.models import PackageVersion
from apps.patients.break_glass import end, open_record
from apps.patients.consent import record_consent
from apps.patients.erasure import place_hold
from apps.patients.models import ConsentState, Patient, Purpose
from apps.recommendations import catalogue, review
from apps.reports.models import ReportVersion
from tests.case_factories import everything
from tests.factories import ACTOR, UserFactory, arrive, browser_of, film_file, take_in
from tests.recommendations.conftest import answered, item

IGNORED = ("api-docs", "schema", "set_language")
ROLES = ("doctor", "radiologist", "nurse", "stranger", "patient", "researcher", "admin", "auditor", "nobody")
"""Doctor, radiologist and nurse belong to the care team; stranger is a doctor of another one."""
#                       doc  rad  nurs str  pat  res  adm  aud  nobody
CLINICIANS = (200, 200, 200, 200, 404, 404, 404, 404, 302)
PHYSICIANS = (200, 200, 404, 200, 404, 404, 404, 404, 302)
TEAM = (200, 200, 200, 404, 404, 404, 404, 404, 302)
TEAM_POST = (302, 302, 302, 404, 404, 404, 404, 404, 302)
TEAM_PHYSICIANS = (200, 200, 404, 404, 404, 404, 404, 404, 302)
TEAM_PHYSICIANS_POST = (302, 302, 404, 404, 404, 404, 404, 404, 302)
API_TEAM = (200, 200, 200, 404, 404, 404, 404, 404, 401)
API_SEARCH = (200, 200, 200, 204, 404, 404, 404, 404, 401)
API_TEAM_EMPTY = (400, 400, 400, 404, 404, 404, 404, 404, 401)
API_EMPTY = (400, 400, 400, 400, 404, 404, 404, 404, 401)
API_TEAM_ASKED = (202, 202, 202, 404, 404, 404, 404, 404, 401)
ADMIN = (404, 404, 404, 404, 404, 404, 200, 404, 302)
ADMIN_POST = (404, 404, 404, 404, 404, 404, 302, 404, 302)
AUDITOR = (404, 404, 404, 404, 404, 404, 404, 200, 302)
NO_RECORD = (404, 404, 404, 404, 302, 404, 404, 404, 302)
"""A patient whose account opens no record is sent to the start page, which says so."""
EVERYBODY = (200, 200, 200, 200, 200, 200, 200, 200, 302)
TABLE: dict[str, tuple[str, tuple[str, ...], tuple[int, ...]]] = {
    "portal:home": ("get", (), (302,) * 9),
    "portal:healthz": ("get", (), (200,) * 9),
    "portal:readyz": ("get", (), (503,) * 9),  # no worker and no clock run beside these tests
    "portal:csp-report": ("post", (), (400,) * 9),
    "portal:worklist": ("get", (), CLINICIANS),
    "portal:study": ("get", ("study",), TEAM),
    "portal:findings": ("get", ("study",), TEAM),
    "portal:manifest": ("get", ("study",), TEAM),
    "portal:review": ("post", ("finding",), TEAM_PHYSICIANS_POST),
    "portal:explain": ("post", ("finding",), TEAM_POST),
    "portal:retry": ("post", ("analysis",), TEAM_POST),
    "portal:emergency": ("get", (), CLINICIANS),
    "portal:end-emergency": ("post", ("emergency",), (404, 404, 404, 302, 404, 404, 404, 404, 302)),
    "portal:record": ("get", ("patient",), TEAM),
    "portal:patient": ("get", (), (404, 404, 404, 404, 200, 404, 404, 404, 302)),
    "portal:patient-consent": ("post", (), (404, 404, 404, 404, 404, 404, 404, 404, 302)),
    "portal:patient-record": ("get", (), NO_RECORD),
    "portal:patient-mail": ("post", (), NO_RECORD),
    "portal:patient-type": ("post", (), NO_RECORD),
    "portal:patient-recommendation": ("get", ("released",), NO_RECORD),
    "portal:patient-answer": ("post", ("released",), NO_RECORD),
    "portal:patient-appointments": ("get", (), NO_RECORD),
    "portal:patient-reply": ("post", ("appointment",), NO_RECORD),
    "portal:patient-calendar": ("get", ("appointment",), NO_RECORD),
    "portal:patient-questions": ("get", (), NO_RECORD),
    "portal:patient-results": ("get", (), NO_RECORD),
    "portal:patient-report": ("get", ("told_report",), NO_RECORD),
    "portal:patient-data": ("get", (), NO_RECORD),
    "portal:patient-data-pdf": ("get", (), NO_RECORD),
    "portal:manifest-app": ("get", (), (200,) * 9),
    "portal:service-worker": ("get", (), (200,) * 9),
    "portal:offline": ("get", (), (200,) * 9),
    "portal:admin": ("get", (), ADMIN),
    "portal:admin-users": ("get", (), ADMIN),
    "portal:admin-user-new": ("get", (), ADMIN),
    "portal:admin-user": ("get", ("user",), ADMIN),
    "portal:admin-user-end": ("post", ("user",), ADMIN_POST),
    "portal:admin-user-password": ("post", ("user",), ADMIN),
    "portal:admin-user-reset": ("post", ("user",), ADMIN_POST),
    "portal:admin-team-new": ("get", (), ADMIN),
    "portal:admin-team": ("get", ("team",), ADMIN),
    "portal:admin-sessions": ("get", (), ADMIN),
    "portal:admin-keys": ("get", (), ADMIN),
    "portal:admin-consents": ("get", (), ADMIN),
    "portal:admin-records": ("get", (), ADMIN),
    "portal:admin-record": ("get", ("patient",), ADMIN),
    "portal:admin-hold": ("post", ("patient",), ADMIN_POST),
    "portal:admin-login": ("post", ("patient",), ADMIN_POST),
    "portal:admin-lift": ("post", ("hold",), ADMIN_POST),
    "portal:auditor": ("get", (), AUDITOR),
    "portal:auditor-verify": ("post", (), AUDITOR),
    "portal:auditor-export": ("get", (), AUDITOR),
    "portal:auditor-emergencies": ("get", (), AUDITOR),
    "portal:auditor-emergency": ("get", ("emergency",), AUDITOR),
    "account_login": ("get", (), (302,) * 8 + (200,)),
    "account_logout": ("get", (), EVERYBODY),
    "account_change_password": ("get", (), EVERYBODY),
    "account_inactive": ("get", (), (200,) * 9),
    "account_reauthenticate": ("get", (), EVERYBODY),
    "account_tokens": ("get", (), EVERYBODY),
    "account_revoke_token": ("post", ("token",), (302,) + (404,) * 7 + (302,)),
    "account_notices": ("get", (), EVERYBODY),
    "usersessions_list": ("get", (), EVERYBODY),
    "mfa_index": ("get", (), EVERYBODY),
    "mfa_authenticate": ("get", (), (302,) * 9),
    "mfa_reauthenticate": ("get", (), (302,) * 9),
    "mfa_activate_totp": ("get", (), (302,) * 9),
    "mfa_deactivate_totp": ("get", (), (404,) * 8 + (302,)),
    "mfa_view_recovery_codes": ("get", (), (404,) * 8 + (302,)),
    "mfa_generate_recovery_codes": ("get", (), (302,) * 9),
    "mfa_download_recovery_codes": ("get", (), (404,) * 8 + (302,)),
    "mfa_list_webauthn": ("get", (), EVERYBODY),
    "mfa_add_webauthn": ("get", (), (302,) * 9),
    "mfa_reauthenticate_webauthn": ("get", (), (302,) * 9),
    "mfa_remove_webauthn": ("get", ("number",), (302,) * 9),
    "mfa_edit_webauthn": ("get", ("number",), (302,) * 9),
    "mfa_login_webauthn": ("get", (), (302,) * 9),
    "socialaccount_login_cancelled": ("get", (), (200,) * 9),
    "socialaccount_login_error": ("get", (), (401,) * 9),
    "socialaccount_signup": ("get", (), (302,) * 9),
    "socialaccount_connections": ("get", (), EVERYBODY),
    "openid_connect_login": ("get", ("provider",), (404,) * 9),
    "openid_connect_callback": ("get", ("provider",), (404,) * 9),
    "imaging:upload": ("get", (), PHYSICIANS),
    "imaging:upload-start": ("post", (), (201, 201, 404, 201, 404, 404, 404, 404, 302)),
    "imaging:upload-file": ("post", ("upload",), (400, 404, 404, 404, 404, 404, 404, 404, 302)),
    "imaging:held": ("get", (), PHYSICIANS),
    "imaging:held-file": ("get", ("held",), TEAM_PHYSICIANS),
    "imaging:releases": ("get", (), (200, 200, 404, 200, 404, 200, 404, 404, 302)),
    "imaging:release-file": ("get", ("release",), (200, 404, 404, 404, 404, 200, 404, 404, 302)),
    "imaging:request-release": ("post", ("study",), TEAM_PHYSICIANS_POST),
    "inference:models": ("get", (), EVERYBODY),
    "inference:model-card": ("get", ("name", "version"), EVERYBODY),
    "dicomweb:store": ("post", (), (415, 415, 404, 415, 404, 404, 404, 404, 401)),
    "dicomweb:capabilities": ("get", (), (*CLINICIANS[:8], 401)),
    "dicomweb:all-series": ("get", (), API_SEARCH),
    "dicomweb:all-instances": ("get", (), API_SEARCH),
    "dicomweb:study-series": ("get", ("study",), API_SEARCH),
    "dicomweb:study-instances": ("get", ("study",), API_SEARCH),
    "dicomweb:series-instances": ("get", ("study", "series"), API_SEARCH),
    "dicomweb:study-metadata": ("get", ("study",), API_TEAM),
    "dicomweb:series-metadata": ("get", ("study", "series"), API_TEAM),
    "dicomweb:frames": ("get", ("study", "series", "instance", "frame"), API_TEAM),
    "study-list": ("get", (), (*CLINICIANS[:8], 401)),
    "study-search": ("post", (), (400, 400, 400, 400, 404, 404, 404, 404, 401)),
    "workitems:workitems": ("get", (), API_SEARCH),
    "workitems:workitem": ("get", ("workitem",), API_TEAM),
    "workitems:state": ("put", ("workitem",), (400, 400, 404, 404, 404, 404, 404, 404, 401)),
    "workitems:cancel-request": ("post", ("workitem",), (409, 409, 404, 404, 404, 404, 404, 404, 401)),
    "workitems:subscription": ("post", ("workitem", "frame"), (501, 501, 404, 501, 404, 404, 404, 404, 401)),
    "study-detail": ("get", ("study",), API_TEAM),
    "study-analyses": ("get", ("study",), API_TEAM),
    "model-list": ("get", (), (200,) * 8 + (401,)),
    "model-detail": ("get", ("package",), (200,) * 8 + (401,)),
    "explanation-detail": ("get", ("explanation",), API_TEAM),
    "explanation-overlay": ("get", ("explanation",), API_TEAM),
    "explanation-film": ("get", ("explanation",), API_TEAM),
    "explanation-attributions": ("get", ("explanation",), API_TEAM),
    "explanation-json": ("get", ("explanation",), API_TEAM),
    "explanation-map": ("get", ("explanation",), API_TEAM),
    "explanation-capture": ("get", ("explanation",), API_TEAM),
    "finding-explanations": ("post", ("finding",), API_TEAM_ASKED),
    "finding-probes": ("post", ("finding",), API_TEAM_EMPTY),
    "probe-detail": ("get", ("probe",), API_TEAM),
    "explainability:detail": ("get", ("explanation",), TEAM),
    "explainability:state": ("get", ("explanation",), TEAM),
    "explainability:tell": ("post", ("explanation",), TEAM_PHYSICIANS_POST),
    "explainability:withdraw": ("post", ("told",), (302, 404, 404, 404, 404, 404, 404, 404, 302)),
    "explainability:told-picture": ("get", ("told_shown",), TEAM),
    "explainability:ask": ("post", ("finding",), TEAM_POST),
    "explainability:comparison": ("get", ("name", "version"), EVERYBODY),
    "explainability:try": ("get", ("table_name", "table_version"), EVERYBODY),
    "explainability:trial": ("get", ("trial",), (200, 404, 404, 404, 404, 404, 404, 404, 302)),
    "explainability:attention": ("get", ("name", "version"), CLINICIANS),
    "cases:list": ("get", (), CLINICIANS),
    "cases:new": ("get", (), (404, 404, 404, 404, 404, 404, 404, 404, 302)),
    "records:codes": ("get", (), CLINICIANS),
    "records:form-token": ("get", (), CLINICIANS),
    "cases:overview": ("get", ("case", ), TEAM),
    "cases:summary": ("get", ("case", ), TEAM),
    "cases:change": ("get", ("case", ), TEAM),
    "notes:notes": ("get", ("case", ), TEAM),
    "records:values": ("get", ("case", ), TEAM),
    "cases:timeline": ("get", ("case", ), TEAM),
    "predictions:risk": ("get", ("case", ), TEAM),
    "predictions:risk-figures": ("get", ("case", ), TEAM),
    "reports:reports": ("get", ("case", ), TEAM),
    "cases:team": ("get", ("case", ), TEAM),
    "notes:note": ("get", ("case", "note", ), TEAM),
    "notes:understood": ("get", ("case", "note", ), TEAM),
    "notes:why": ("get", ("case", "why"), TEAM),
    "notes:revision": ("get", ("case", "note", "revision", ), TEAM),
    "records:import": ("get", ("case", "parcel", ), (200, 404, 404, 404, 404, 404, 404, 404, 302)),
    "predictions:what-if-answer": ("get", ("case", "question", ), (200, 404, 404, 404, 404, 404, 404, 404, 302)),
    "reports:report": ("get", ("case", "report", ), TEAM),
    "reports:report-print": ("get", ("case", "report", "revision", ), TEAM),
    "reports:report-pdf": ("get", ("case", "report", "revision", ), TEAM),
    "reports:report-sr": ("get", ("case", "report", ), TEAM),
    "reports:report-fhir": ("get", ("case", "report", ), TEAM),
    "cases:document": ("get", ("case", "document", ), TEAM),
    "notes:draft": ("post", ("case", ), TEAM),
    "predictions:what-if": ("post", ("case", ), (202, 202, 202, 404, 404, 404, 404, 404, 302)),
    "records:bring": ("post", ("case", ), TEAM_POST),
    "predictions:ask": ("post", ("case", ), TEAM_POST),
    "records:state": ("post", ("case", ), (422, 422, 422, *TEAM_POST[3:])),  # an empty form
    "cases:add-task": ("post", ("case", ), TEAM_POST),
    "cases:comment": ("post", ("case", ), TEAM_POST),
    "cases:add-document": ("post", ("case", ), TEAM_POST),
    "cases:hand-over": ("post", ("case", ), TEAM_POST),
    "cases:merge": ("post", ("case", ), TEAM_PHYSICIANS_POST),
    "predictions:set-rule": ("post", ("case", ), TEAM_PHYSICIANS_POST),
    "reports:begin-report": ("post", ("case", ), TEAM_PHYSICIANS_POST),
    "cases:refer": ("post", ("case", ), TEAM_PHYSICIANS_POST),
    "records:correct-statement": ("post", ("case", "statement", ), (422, 422, 422, *TEAM_POST[3:])),  # an empty form
    "records:set-statement": ("post", ("case", "statement", ), TEAM_POST),
    "notes:settle": ("post", ("case", "discordance", ), TEAM_POST),
    "predictions:alarm": ("post", ("case", "alarm", ), TEAM_POST),
    "notes:read-again": ("post", ("case", "note", ), TEAM_POST),
    "notes:explain-note": ("post", ("case", "note", ), TEAM_POST),
    "notes:review": ("post", ("case", "note", ), TEAM_POST),
    "records:void": ("post", ("case", "value", ), TEAM_POST),
    "cases:finish-task": ("post", ("case", "task", ), TEAM_POST),
    "cases:answer": ("post", ("case", "referral", ), TEAM_POST),
    "records:take": ("post", ("case", "parcel", ), (302, 404, 404, 404, 404, 404, 404, 404, 302)),
    "predictions:stop-rule": ("post", ("case", "rule", ), TEAM_PHYSICIANS_POST),
    "cases:accept": ("post", ("case", "hand_over", ), (302, 404, 404, 404, 404, 404, 404, 404, 302)),
    "cases:end-referral": ("post", ("case", "referral", ), TEAM_PHYSICIANS_POST),
    "cases:set-open": ("post", ("case", ), TEAM_PHYSICIANS_POST),
    "reports:report-tell": ("post", ("case", "report", "revision"), TEAM_PHYSICIANS_POST),
    "reports:report-untell": ("post", ("case", "report", "revision"), TEAM_PHYSICIANS_POST),
    "recommendations:queue": ("get", (), CLINICIANS),
    "recommendations:bulk": ("post", (), (404, 404, 404, 404, 404, 404, 404, 404, 302)),
    "recommendations:detail": ("get", ("recommendation",), TEAM),
    "recommendations:act": ("post", ("recommendation",), (404, 404, 404, 404, 404, 404, 404, 404, 302)),
    "recommendations:patient": ("get", ("patient",), TEAM),
    "recommendations:ask": ("post", ("patient",), TEAM_POST),
    "recommendations:guidelines": ("get", (), ADMIN),
    "recommendations:import": ("post", (), ADMIN_POST),
    "recommendations:export": ("get", (), ADMIN),
    "recommendations:item-new": ("get", (), ADMIN),
    "recommendations:item": ("get", ("item",), ADMIN),
    "recommendations:item-withdraw": ("post", ("withdrawn_item",), ADMIN_POST),
    "recommendations:rule-new": ("get", (), ADMIN),
    "recommendations:rule": ("get", ("guideline",), ADMIN),
    "recommendations:rule-stop": ("post", ("guideline",), (404, 404, 404, 404, 404, 404, 302, 404, 302)),
    "contact:inbox": ("get", (), CLINICIANS),
    "contact:answer": ("post", ("asked",), TEAM_POST),
    "contact:book": ("get", ("patient",), TEAM),
    "contact:change": ("post", ("appointment",), (404, 404, 404, 404, 404, 404, 404, 404, 302)),
    "contact:confirm": ("get", ("number",), (200,) * 9),
    "recommendation-list": ("get", (), (*CLINICIANS[:8], 401)),
    "recommendation-detail": ("get", ("recommendation",), API_TEAM),
    "recommendation-approve": ("post", ("recommendation",), API_EMPTY),
    "recommendation-release": ("post", ("recommendation",), API_EMPTY),
    "recommendation-reject": ("post", ("recommendation",), API_EMPTY),
    "recommendation-guidance-response": ("get", ("recommendation",), API_TEAM),
    "recommendation-care-plan": ("get", (), API_EMPTY),
    "cds-discovery": ("get", (), (200,) * 9),
    "cds-service": ("post", ("service",), API_EMPTY),
    "cds-feedback": ("post", ("service",), API_EMPTY),
    "case-list": ("get", (), (*CLINICIANS[:8], 401)),
    "case-detail": ("get", ("case", ), API_TEAM),
    "case-notes": ("get", ("case", ), API_TEAM),
    "case-values": ("get", ("case", ), API_TEAM),
    "case-timeline": ("get", ("case", ), API_TEAM),
    "case-predictions": ("get", ("case", ), API_TEAM),
    "audit-events": ("get", (), (404,) * 7 + (200, 401)),
}  # fmt: skip


def route_names(resolver: URLResolver, namespace: str = "") -> set[str]:
    names: set[str] = set()
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            if entry.name:
                names.add(f"{namespace}{entry.name}")
        else:
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            names |= route_names(entry, inner)
    return names


def test_every_route_has_a_row() -> None:
    assert route_names(get_resolver()) - set(IGNORED) == set(TABLE)


@pytest.fixture
def arguments(packages: None, team: CareTeam, doctor: User, admin_user: User, stranger: User) -> dict[str, str]:
    """The ids of one analysed study of the first team, of a file put aside, and of what else has an address."""
    analysis = arrive(film_file(3, pattern="focal"), team)
    instance = analysis.series.instances.get()
    patient = analysis.series.study.patient
    take_in(film_file(4, name="Somebody^Else"), team)
    analyse(str(analysis.pk))
    explanation = schedule_explanations(analysis.pk)[0]
    record_consent(patient, Purpose.RESEARCH, ConsentState.GIVEN, actor=doctor)
    release = deidentify.request_export(analysis.series.study, actor=doctor)
    make(str(release.pk))
    emergency = open_record("MRN-1", "", "Somebody needs it at once", actor=stranger)
    end(emergency, actor=stranger)
    token, _ = make_token(doctor, name="x", scopes=["studies:read"], days=1)
    client = Client()
    client.force_login(doctor)
    upload = client.post(reverse("imaging:upload-start")).json()["files"].split("/")[-3]
    case = open_case(patient, title="Cough", study=analysis.series.study, started_at=_hours_ago(), actor=doctor)
    return {
        **everything(case, doctor),
        **_care(patient, doctor),
        "study": instance.series.study.study_instance_uid,
        "series": instance.series.series_instance_uid,
        "instance": instance.sop_instance_uid,
        "frame": "1",
        "finding": str(explanation.finding_id),
        "analysis": str(analysis.pk),
        "workitem": f"2.25.{analysis.pk.int}",
        "explanation": str(explanation.pk),
        "told": str(_told(explanation, doctor).pk),
        "told_shown": str(_told(schedule_explanations(analysis.pk)[1], doctor).pk),
        "table_name": "diabetes-progression",
        "table_version": "1.0.0",
        "trial": str(
            playground.submit(
                PackageVersion.objects.get(name="note-specialty", version="1.0.0"), {"text": "x"}, actor=doctor
            ).pk
        ),
        "probe": str(occlusion.request_occlusion(explanation.finding, cells=[1], actor=doctor).pk),
        "held": str(QuarantinedFile.objects.get().pk),
        "upload": upload,
        "package": str(analysis.package_id),
        "name": analysis.package.name,
        "version": analysis.package.version,
        "patient": str(patient.pk),
        "release": str(release.pk),
        "emergency": str(emergency.pk),
        "hold": str(place_hold(patient, "a court order", actor=admin_user).pk),
        "team": str(team.pk),
        "user": str(UserFactory(username="somebody", role=Role.PATIENT).pk),
        "token": token.pk,
        "number": "1",
        "provider": "hospital",
    }


def _care(patient: Patient, doctor: User) -> dict[str, str]:
    """A recommendation that waits and one that was released, a visit, a question, a report for the patient."""
    said = {"citation": "x", "effect": "propose", "urgency": "routine", "due_days": 9, "repeat_days": 0, "url": ""}
    examples = [{"facts": {"age": 3}, "holds": True}, {"facts": {}, "holds": False}]
    codes = ("first", "second", "gone")
    catalogue.load(
        {"items": [item(code) for code in codes],
         "rules": [{"code": code, "item": code, "condition": "age >= 0", "examples": examples, **said} for code in
         codes]},
        actor=ACTOR,
    )  # fmt: skip
    rows = answered(patient)
    released = review.release(rows["second"], revision=1, actor=doctor)
    starts = timezone.now() + timedelta(days=2)
    visit = appointments.book(patient, title="x", place="", starts_at=starts, minutes=5, actor=doctor)
    asked = Question(patient=patient)
    asked.text = "May I work?"
    asked.save()
    version = ReportVersion.objects.filter(report__case__patient=patient)[0]
    told = PatientRelease(patient=patient, kind=ReleaseKind.REPORT, subject_id=version.pk, released_by=doctor)
    told.words = "Fine."
    told.save()
    return {
        "recommendation": str(rows["first"].pk),
        "released": str(released.pk),
        "appointment": str(visit.pk),
        "asked": str(asked.pk),
        "told_report": str(told.pk),
        "item": "first",
        "withdrawn_item": "gone",
        "guideline": "first",
        "service": "medportal-patient",
    }


def _hours_ago() -> datetime:
    return timezone.now() - timedelta(hours=12)


def _told(explanation: Explanation, doctor: User) -> PatientRelease:
    explain(str(explanation.pk))
    explanation.refresh_from_db()
    return release_explanation(explanation, "In plain words", actor=doctor)


@pytest.fixture
def people(
    doctor: User, radiologist: User, nurse: User, stranger: User, patient_user: User, researcher: User,
    admin_user: User, auditor: User,
) -> list[User | None]:  # fmt: skip
    return [doctor, radiologist, nurse, stranger, patient_user, researcher, admin_user, auditor, None]


def test_every_route_by_every_role(arguments: dict[str, str], people: list[User | None]) -> None:
    """Each role keeps its browser: signing in for each of 1,700 requests takes longer than they do."""
    wrong = []
    browsers = [browser_of(user) for user in people]
    for name, (method, wanted, statuses) in TABLE.items():
        url = reverse(name, args=[arguments[key] for key in wanted])
        for role, browser, status in zip(ROLES, browsers, statuses, strict=True):
            answer = getattr(browser, method)(url)
            if answer.status_code != status:
                wrong.append((name, role, answer.status_code, status))
    assert not wrong, "\n" + "\n".join(map(str, wrong))


def test_another_patients_names_are_on_no_page_of_others(arguments: dict[str, str], people: list[User | None]) -> None:
    for role, user in zip(ROLES[3:8], people[3:8], strict=True):
        client = browser_of(user)
        for name, (method, wanted, _) in TABLE.items():
            if method == "get":
                answer = client.get(reverse(name, args=[arguments[key] for key in wanted]), follow=True)
                body = b"".join(answer.streaming_content) if answer.streaming else answer.content
                assert b"Lindqvist" not in body and b"MRN-1" not in body, (name, role)


def test_no_route_answers_a_tokens_wrong_scope(arguments: dict[str, str], doctor: User) -> None:
    _, text = make_token(doctor, name="models only", scopes=["models:read"], days=1)
    client = Client(headers={"Authorization": f"Token {text}"})
    assert client.get(reverse("model-list")).status_code == 200
    for name, (method, wanted, _) in TABLE.items():
        url = reverse(name, args=[arguments[key] for key in wanted])
        if url.startswith(("/api/", "/dicom-web/", "/cds-services/")) and not name.startswith(("model-", "audit-")):
            assert getattr(client, method)(url).status_code == 403, name

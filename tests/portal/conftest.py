"""A site with one of everything that has an address, and somebody of every role."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import CareTeam, Role, User
from apps.accounts.tokens import make_token
from apps.cases.services import open_case
from apps.contact import appointments
from apps.contact.models import PatientRelease, Question, ReleaseKind
from apps.explainability import occlusion, playground
from apps.explainability.explanation_release import release_explanation
from apps.explainability.jobs import explain
from apps.explainability.models import Explanation
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
from tests.factories import ACTOR, UserFactory, arrive, film_file, take_in
from tests.recommendations.conftest import answered, item


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
        "pixel_data": "7FE00010",
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

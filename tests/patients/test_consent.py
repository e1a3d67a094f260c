"""Consent opens and closes; emergency access opens for a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import AuditEntry, CareTeam, Notice, User
from apps.imaging.access import visible_to as visible_studies
from apps.inference.access import visible_findings
from apps.inference.jobs import analyse
from apps.inference.models import Analysis
from apps.inference.routing import route, route_patient
from apps.jobs.errors import UserError
from apps.patients.access import can, visible_to
from apps.patients.break_glass import MAX_MISSES_PER_HOUR, end, open_record, review
from apps.patients.consent import record_consent
from apps.patients.models import BreakGlassAccess, ConsentState, Patient, Purpose
from tests.factories import arrive, film_file, take_in

REASON = "Unconscious in the emergency room"


@pytest.fixture
def patient(team: CareTeam) -> Patient:
    instance = take_in(film_file(), team).instance
    assert instance
    return instance.series.study.patient


def test_without_consent_no_analysis_starts(packages: None, patient: Patient, settings, doctor: User) -> None:  # type: ignore[no-untyped-def]
    settings.PRESUMED_CONSENT = ["care"]
    series = patient.studies.get().series.get()
    assert route(series, urgent=True) == [] and not Analysis.objects.exists()
    record_consent(patient, Purpose.AI, ConsentState.GIVEN, actor=doctor)
    assert route_patient(patient) == 1
    assert Analysis.objects.get().state == "queued"


def test_withdrawal_stops_and_hides(packages: None, team: CareTeam, doctor: User) -> None:
    done = arrive(film_file(3, pattern="focal"), team)
    analyse(str(done.pk))
    assert visible_findings(doctor).exists()
    waiting = arrive(film_file(4, identity=["another series"]), team)
    patient = done.series.study.patient
    record_consent(patient, Purpose.AI, ConsentState.WITHDRAWN, actor=doctor)
    analyse(str(waiting.pk))
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason_code) == ("refused", "no_ai_consent")
    assert not visible_findings(doctor).exists()
    client = Client()
    client.force_login(doctor)
    page = client.get(reverse("portal:study", args=[done.series.study.study_instance_uid])).content.decode()
    assert "has not consented" in page and "cxr-pneumonia" not in page


def test_withdrawn_care_closes_the_record_to_its_team(patient: Patient, doctor: User) -> None:
    record_consent(patient, Purpose.CARE, ConsentState.WITHDRAWN, actor=doctor)
    assert not visible_to(doctor).exists() and not visible_studies(doctor).exists()
    assert not can(doctor, "patients.view_patient", patient)


def test_the_patient_decides_and_strangers_do_not(patient: Patient, patient_user: User, stranger: User) -> None:
    with pytest.raises(PermissionError):
        record_consent(patient, Purpose.AI, ConsentState.GIVEN, actor=stranger)
    Patient.objects.filter(pk=patient.pk).update(portal_user=patient_user)
    patient.refresh_from_db()
    assert record_consent(patient, Purpose.RESEARCH, ConsentState.GIVEN, actor=patient_user)
    assert record_consent(patient, Purpose.RESEARCH, ConsentState.GIVEN, actor=patient_user) is None


def test_emergency_access_opens_for_a_time_and_tells(
    patient: Patient, doctor: User, stranger: User, auditor: User
) -> None:
    assert not visible_to(stranger).exists()
    access = open_record("MRN-1", "", REASON, actor=stranger)
    assert list(visible_to(stranger)) == [patient] and visible_studies(stranger).exists()
    assert can(stranger, "patients.view_patient", patient)
    assert {notice.user for notice in Notice.objects.all()} == {doctor, auditor}
    assert "Lindqvist" not in str(Notice.objects.values_list("parameters", flat=True))
    BreakGlassAccess.objects.filter(pk=access.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not visible_to(stranger).exists() and not can(stranger, "patients.view_patient", patient)


def test_it_is_closed_and_reviewed_once(patient: Patient, stranger: User, auditor: User, doctor: User) -> None:
    access = open_record("MRN-1", "", REASON, actor=stranger)
    assert end(access, actor=stranger) and not end(access, actor=stranger)
    assert not visible_to(stranger).exists()
    with pytest.raises(PermissionError):
        review(access, BreakGlassAccess.Review.JUSTIFIED, "", actor=doctor)
    assert review(access, BreakGlassAccess.Review.NOT_JUSTIFIED, "No emergency", actor=auditor)
    assert not review(access, BreakGlassAccess.Review.JUSTIFIED, "", actor=auditor)
    assert stranger.notices.get().code == "emergency_unjustified"


@pytest.mark.parametrize(
    ("mrn", "reason", "code"),
    [("MRN-1", "short", "emergency_reason"), ("MRN-9", REASON, "emergency_not_found")],
)
def test_it_needs_a_reason_and_the_exact_number(
    patient: Patient, stranger: User, mrn: str, reason: str, code: str
) -> None:
    with pytest.raises(UserError) as refused:
        open_record(mrn, "", reason, actor=stranger)
    assert refused.value.code == code


def test_nobody_finds_numbers_by_trying(patient: Patient, stranger: User, admin_user: User, researcher: User) -> None:
    for _ in range(MAX_MISSES_PER_HOUR):
        with pytest.raises(UserError, match="No record"):
            open_record("guess", "", REASON, actor=stranger)
    with pytest.raises(UserError, match="Too many"):
        open_record("MRN-1", "", REASON, actor=stranger)
    assert AuditEntry.objects.filter(action="emergency.denied").count() == MAX_MISSES_PER_HOUR
    for user in (admin_user, researcher):
        with pytest.raises(PermissionError):
            open_record("MRN-1", "", REASON, actor=user)

"""One rule for whatever is shown to a patient, and one place to take it back."""

from __future__ import annotations

import uuid

import pytest

from apps.accounts.models import User
from apps.contact.models import PatientRelease, ReleaseKind
from apps.contact.patient_release import (
    end_releases,
    picture_of,
    release_to_patient,
    visible_releases,
    withdraw_release,
)
from apps.jobs.errors import UserError
from apps.patients.consent import record_consent
from apps.patients.models import ConsentState, Patient, Purpose
from tests.factories import ACTOR

SUBJECT = uuid.UUID(int=7)


def shown(patient: Patient, actor: User, words: str = "All is well.", **options: object) -> PatientRelease:
    values = {"kind": ReleaseKind.REPORT, "subject_id": SUBJECT, "notice": "report_to_read", **options}
    return release_to_patient(patient, words=words, actor=actor, **values)  # type: ignore[arg-type]


def test_only_physicians_who_care_for_the_patient_release_and_take_back(
    patient: Patient, doctor: User, nurse: User, stranger: User, patient_user: User
) -> None:
    for other in (nurse, stranger, patient_user):
        with pytest.raises(PermissionError):
            shown(patient, other)
    release = shown(patient, doctor)
    for other in (nurse, stranger, patient_user):
        with pytest.raises(PermissionError):
            withdraw_release(release, actor=other)
    assert withdraw_release(release, actor=doctor)
    assert not withdraw_release(release, actor=doctor)


def test_it_is_seen_by_the_patient_and_the_team_until_it_is_taken_back(
    patient: Patient, doctor: User, nurse: User, stranger: User, patient_user: User
) -> None:
    release = shown(patient, doctor, picture=b"PNG")
    for actor in (patient_user, doctor, nurse):
        assert [row.pk for row in visible_releases(actor, ReleaseKind.REPORT)] == [release.pk]
    assert not visible_releases(stranger, ReleaseKind.REPORT) and not visible_releases(None, ReleaseKind.REPORT)
    assert not visible_releases(patient_user, ReleaseKind.EXPLANATION)
    assert picture_of(release) == b"PNG"
    assert end_releases(ReleaseKind.REPORT, SUBJECT, actor=ACTOR) == 1
    assert not visible_releases(patient_user, ReleaseKind.REPORT)
    assert PatientRelease.objects.get(pk=release.pk).words == "All is well.", "the record keeps what was shown"


def test_a_new_release_replaces_the_old_one_and_those_it_names(patient: Patient, doctor: User) -> None:
    older = shown(patient, doctor, subject_id=uuid.UUID(int=8))
    first = shown(patient, doctor)
    second = shown(patient, doctor, "Better words.", replaces=[older.subject_id])
    current = PatientRelease.objects.filter(withdrawn_at=None)
    assert [row.pk for row in current] == [second.pk] and first.pk != second.pk


def test_words_are_needed_and_a_patient_who_uses_the_portal(patient: Patient, doctor: User) -> None:
    with pytest.raises(UserError) as refusal:
        shown(patient, doctor, "  ")
    assert refusal.value.code == "release_words"
    record_consent(patient, Purpose.PORTAL, ConsentState.WITHDRAWN, actor=doctor)
    patient.refresh_from_db()
    with pytest.raises(UserError) as refusal:
        shown(patient, doctor)
    assert refusal.value.code == "release_portal"

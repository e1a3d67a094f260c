"""Linking a patient's log-in with the record."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.accounts.actors import System
from apps.accounts.models import AuditEntry, CareTeam, Role, User
from apps.jobs.errors import UserError
from apps.patients.access import visible_to
from apps.patients.models import Patient
from apps.patients.portal_account import link_account
from tests.factories import UserFactory, browser_of, film_file, take_in


@pytest.fixture
def patient(team: CareTeam) -> Patient:
    instance = take_in(film_file(mrn="L-1"), team).instance
    assert instance
    return instance.series.study.patient


def test_the_linked_account_reads_the_record_and_the_one_before_does_not(
    patient: Patient, patient_user: User, admin_user: User
) -> None:
    link_account(patient, patient_user, actor=admin_user)
    assert visible_to(patient_user).get() == patient
    other = UserFactory(username="other", role=Role.PATIENT)
    link_account(patient, other, actor=admin_user)
    assert not visible_to(patient_user).exists() and visible_to(other).get() == patient
    link_account(patient, None, actor=admin_user)
    assert not visible_to(other).exists()
    assert AuditEntry.objects.filter(action="record.linked").count() == 3


def test_only_a_patients_free_account_is_linked_and_only_by_an_administrator(
    patient: Patient, patient_user: User, admin_user: User, doctor: User, team: CareTeam
) -> None:
    with pytest.raises(PermissionError):
        link_account(patient, patient_user, actor=doctor)
    with pytest.raises(UserError, match="Only a patient account"):
        link_account(patient, doctor, actor=admin_user)
    second = take_in(film_file(5, mrn="L-2"), team).instance
    assert second
    link_account(second.series.study.patient, patient_user, actor=System("test"))
    with pytest.raises(UserError, match="another record"):
        link_account(patient, patient_user, actor=admin_user)
    assert Patient.objects.get(pk=patient.pk).portal_user is None


def test_the_console_says_which_account_is_missing(patient: Patient, admin_user: User, patient_user: User) -> None:
    client = browser_of(admin_user)
    address = reverse("portal:admin-login", args=[patient.pk])
    answer = client.post(address, {"username": "nobody"}, follow=True)
    assert "There is no active account with this username" in answer.content.decode()
    answer = client.post(address, {"username": "patient"}, follow=True)
    assert "login account has been saved" in answer.content.decode()
    assert Patient.objects.get(pk=patient.pk).portal_user == patient_user

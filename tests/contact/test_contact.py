"""Appointments, questions and mails without clinical content."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import icalendar
import pytest
from django.core import mail as outbox
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Notice, User
from apps.contact import appointments, mail, patient_messages, tasks
from apps.contact.models import Appointment, AppointmentState, EmailPreference
from apps.jobs.errors import UserError
from apps.patients.consent import record_consent
from apps.patients.models import ConsentState, Patient, Purpose
from tests.factories import browser_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(patient: Patient, doctor: User) -> Appointment:
    at = timezone.now() + timedelta(days=3)
    return appointments.book(
        patient, title="Check of the lungs; again", place="Room 1", starts_at=at, minutes=20, actor=doctor
    )


def test_an_appointment_on_its_way(visit: Appointment, doctor: User, patient_user: User, stranger: User) -> None:
    assert Notice.objects.filter(user=patient_user, code="appointment_made").exists()
    assert appointments.reply(visit, True, actor=patient_user) and not appointments.reply(
        visit, True, actor=patient_user
    )
    visit.refresh_from_db()
    moved = appointments.move(visit, visit.starts_at + timedelta(days=1), revision=visit.revision, actor=doctor)
    assert moved.state == AppointmentState.BOOKED
    appointments.reply(moved, False, actor=patient_user)
    assert Notice.objects.filter(user=doctor, code="appointment_unwanted").exists()
    with pytest.raises(UserError, match="Someone else changed"):
        appointments.cancel(moved, revision=1, actor=doctor)
    moved.refresh_from_db()
    appointments.cancel(moved, revision=moved.revision, actor=doctor)
    with pytest.raises(UserError, match="cancelled"):
        appointments.reply(moved, True, actor=patient_user)
    for actor in (stranger, patient_user):
        with pytest.raises(PermissionError):
            appointments.move(visit, visit.starts_at, revision=1, actor=actor)
    with pytest.raises(UserError, match="future"):
        appointments.book(visit.patient, title="x", place="", starts_at=timezone.now(), minutes=5, actor=doctor)


def test_patients_are_reminded_once(visit: Appointment, patient_user: User) -> None:
    now = timezone.now()
    assert appointments.remind_soon() == 0  # three days away
    Appointment.objects.update(starts_at=now + timedelta(hours=20))
    assert appointments.remind_soon() == 0  # booked just now
    Appointment.objects.update(booked_at=now - timedelta(days=2))
    assert (appointments.remind_soon(), appointments.remind_soon()) == (1, 0)
    assert Notice.objects.filter(user=patient_user, code="appointment_soon").count() == 1
    Appointment.objects.update(reminded_at=None, state=AppointmentState.CANCELLED)
    assert appointments.remind_soon() == 0


def test_the_calendar_file(visit: Appointment, patient_user: User, stranger: User) -> None:
    url = reverse("portal:patient-calendar", args=[visit.pk])
    answer = browser_of(patient_user).get(url)
    event = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")[0]
    assert str(event["summary"]) == "Check of the lungs; again" and event["dtstart"].dt == visit.starts_at.replace(
        microsecond=0
    )
    assert (event["dtend"].dt - event["dtstart"].dt) == timedelta(minutes=20)
    assert browser_of(stranger).get(url).status_code == 404


def test_a_question_and_its_answer(patient: Patient, doctor: User, radiologist: User, patient_user: User) -> None:
    first = patient_messages.ask(patient, "May I work?", actor=patient_user)
    assert patient_messages.ask(patient, " May I work? ", actor=patient_user).pk == first.pk  # a double click
    assert Notice.objects.filter(user=doctor, code="question_asked").count() == 1
    patient_messages.answer(first, "Yes.", actor=doctor)
    with pytest.raises(UserError, match="already"):
        patient_messages.answer(first, "No.", actor=radiologist)
    with pytest.raises(UserError, match="few words"):
        patient_messages.ask(patient, " ", actor=patient_user)
    for number in range(patient_messages.MAX_OPEN_QUESTIONS):
        patient_messages.ask(patient, f"And {number}?", actor=patient_user)
    with pytest.raises(UserError, match="unanswered questions"):
        patient_messages.ask(patient, "One more?", actor=patient_user)
    with pytest.raises(PermissionError):
        patient_messages.ask(patient, "x", actor=doctor)


@pytest.fixture
def wish(patient: Patient, patient_user: User) -> EmailPreference:
    made = mail.set_email_preference(patient, "somebody@example.org", actor=patient_user)
    assert made is not None
    return made


def test_an_address_counts_after_its_owner_confirmed_it(wish: EmailPreference, patient: Patient, client: Any) -> None:
    mail.remind(patient)
    tasks.send_notice(str(wish.pk))
    assert not outbox.outbox
    tasks.confirm_address(str(wish.pk))
    link = re.search(r"https?://[^/]+(/\S+)", outbox.outbox[0].body)
    assert link is not None
    client.get(link[1])  # mail programs open links by themselves
    wish.refresh_from_db()
    assert wish.confirmed_at is None
    client.post(link[1])
    wish.refresh_from_db()
    assert wish.confirmed_at is not None
    assert client.post(reverse("contact:confirm", args=["x:y:z"])).status_code == 422


def test_a_mail_says_nothing_clinical_and_comes_once_an_hour(
    wish: EmailPreference,
    patient: Patient,
    doctor: User,
    django_capture_on_commit_callbacks: Any,
    monkeypatch: Any,
) -> None:
    EmailPreference.objects.update(confirmed_at=timezone.now())
    sent: list[str] = []
    monkeypatch.setattr("apps.jobs.enqueue._send", lambda name, *rest: sent.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        for hours in (30, 60):
            appointments.book(
                patient, title="Biopsy of the lung", place="Oncology",
                starts_at=timezone.now() + timedelta(hours=hours), minutes=20, actor=doctor,
            )  # fmt: skip
    assert sent.count("contact.send_notice") == 1
    tasks.send_notice(str(wish.pk))
    said = f"{outbox.outbox[0].subject} {outbox.outbox[0].body}"
    for word in ("Biopsy", "Oncology", "Lindqvist", "MRN", "appointment", patient.display_name):
        assert word not in said
    assert outbox.outbox[0].to == ["somebody@example.org"]


def test_a_closed_page_sends_no_mails(wish: EmailPreference, patient: Patient, doctor: User) -> None:
    EmailPreference.objects.update(confirmed_at=timezone.now())
    record_consent(patient, Purpose.PORTAL, ConsentState.WITHDRAWN, actor=doctor)
    tasks.send_notice(str(wish.pk))
    assert not outbox.outbox


def test_the_address_is_taken_back(wish: EmailPreference, patient: Patient, patient_user: User) -> None:
    assert mail.set_email_preference(patient, "", actor=patient_user) is None and not EmailPreference.objects.exists()
    with pytest.raises(UserError, match="not a valid e-mail address"):
        mail.set_email_preference(patient, "nobody", actor=patient_user)


def test_without_a_server_no_mails_are_offered(patient: Patient, patient_user: User, settings: Any) -> None:
    settings.MAILS = False
    with pytest.raises(UserError, match="does not send e-mails"):
        mail.set_email_preference(patient, "somebody@example.org", actor=patient_user)
    body = browser_of(patient_user).get(reverse("portal:patient-record")).content.decode()
    assert 'name="address"' not in body
    assert (
        mail.set_email_preference(patient, "", actor=patient_user) is None
    )  # an address can be taken back all the same


def test_the_inbox_and_the_booking_page(visit: Appointment, patient: Patient, doctor: User, patient_user: User) -> None:
    question = patient_messages.ask(patient, "May I work?", actor=patient_user)
    client = browser_of(doctor)
    assert "May I work?" in client.get(reverse("contact:inbox")).content.decode()
    client.post(reverse("contact:answer", args=[question.pk]), {"text": "Yes."})
    assert "May I work?" not in client.get(reverse("contact:inbox")).content.decode()
    url = reverse("contact:book", args=[patient.pk])
    assert client.post(url, {"title": "x", "starts_at": "2020-01-01T10:00", "minutes": "20"}).status_code == 422
    change = reverse("contact:change", args=[visit.pk])
    assert client.post(change, {"revision": "x"}).status_code == 404
    client.post(change, {"revision": "1", "act": "move", "starts_at": "x"})
    visit.refresh_from_db()
    assert visit.revision == 1
    client.post(change, {"revision": "1", "act": "cancel"})
    visit.refresh_from_db()
    assert visit.state == AppointmentState.CANCELLED

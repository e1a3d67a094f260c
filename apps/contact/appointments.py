"""Booking, moving, confirming and cancelling appointments."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import CLINICIANS, CareTeam, User
from apps.accounts.notifications import notify
from apps.contact.access import require_care, require_self
from apps.contact.mail import notify_patient
from apps.contact.models import Appointment, AppointmentState
from apps.jobs.errors import UserError
from apps.patients.models import Patient

SOON = timedelta(hours=26)
JUST_BOOKED = timedelta(hours=6)
"""Who booked today needs no reminder of tomorrow."""
SOME = 500


def book(
    patient: Patient, *, title: str, place: str, starts_at: datetime, minutes: int, actor: User,
    care_team: CareTeam | None = None,
) -> Appointment:  # fmt: skip
    """Expect the patient; the patient is told.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: ``appointment_past``.
    """
    require_care(actor, patient)
    if starts_at <= timezone.now():
        raise UserError("appointment_past")
    with transaction.atomic():
        made = Appointment(
            patient=patient,
            care_team=care_team or patient.care_teams.first(),
            starts_at=starts_at,
            minutes=minutes,
            booked_by=actor,
        )
        made.title, made.place = title.strip()[:200], place.strip()[:200]
        made.save(force_insert=True)
        audit.record(actor, "appointment.booked", made, why="treatment")
        notify_patient(patient, "appointment_made")
    return made


def move(appointment: Appointment, starts_at: datetime, *, revision: int, actor: User) -> Appointment:
    """Another time; the patient is told and confirms anew.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: ``appointment_past``, ``appointment_closed`` or ``appointment_changed``.
    """
    require_care(actor, appointment.patient)
    if starts_at <= timezone.now():
        raise UserError("appointment_past")
    with transaction.atomic():
        _change(appointment, revision, starts_at=starts_at, state=AppointmentState.BOOKED, reminded_at=None)
        audit.record(actor, "appointment.moved", appointment, why="treatment")
        notify_patient(appointment.patient, "appointment_moved")
    appointment.refresh_from_db()
    return appointment


def cancel(appointment: Appointment, *, revision: int, actor: User) -> None:
    """Expect the patient no longer; the patient is told.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: ``appointment_closed`` or ``appointment_changed``.
    """
    require_care(actor, appointment.patient)
    with transaction.atomic():
        _change(appointment, revision, state=AppointmentState.CANCELLED)
        audit.record(actor, "appointment.cancelled", appointment, why="treatment")
        notify_patient(appointment.patient, "appointment_moved")


def reply(appointment: Appointment, coming: bool, *, actor: User) -> bool:
    """The patient comes, or cannot; False if that was said already.

    Raises:
        PermissionError: if it is not the patient's own.
        UserError: ``appointment_closed``.
    """
    require_self(actor, appointment.patient)
    wanted = AppointmentState.CONFIRMED if coming else AppointmentState.UNWANTED
    with transaction.atomic():
        now = Appointment.objects.select_for_update().get(pk=appointment.pk)
        if not now.is_open:
            raise UserError("appointment_closed")
        if now.state == wanted:
            return False
        _change(now, now.revision, state=wanted)
        audit.record(actor, "appointment.answered", now, coming=coming)
        if not coming:
            team = User.objects.filter(care_teams=now.care_team, role__in=CLINICIANS, is_active=True)
            notify(team, "appointment_unwanted")
    return True


def remind_soon() -> int:
    """Remind patients of what is within a day, once; how many."""
    now = timezone.now()
    soon = Appointment.objects.filter(
        starts_at__gt=now, starts_at__lte=now + SOON, booked_at__lt=now - JUST_BOOKED, reminded_at=None
    ).exclude(state__in=(AppointmentState.CANCELLED, AppointmentState.UNWANTED))
    number = 0
    for row in soon.select_related("patient__portal_user")[:SOME]:
        with transaction.atomic():
            if Appointment.objects.filter(pk=row.pk, reminded_at=None).update(reminded_at=now):
                notify_patient(row.patient, "appointment_soon")
                number += 1
    return number


def _change(appointment: Appointment, revision: int, **fields: object) -> None:
    rows = Appointment.objects.filter(pk=appointment.pk).exclude(state=AppointmentState.CANCELLED)
    if not rows.filter(starts_at__gt=timezone.now()).exists():
        raise UserError("appointment_closed")
    if not rows.filter(revision=revision).update(revision=F("revision") + 1, **fields):
        raise UserError("appointment_changed")

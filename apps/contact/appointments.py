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

REMINDER_WINDOW = timedelta(hours=26)
MIN_AGE_FOR_REMINDER = timedelta(hours=6)
"""An appointment booked more recently than this needs no reminder."""
BATCH_SIZE = 500


def book(
    patient: Patient, *, title: str, place: str, starts_at: datetime, minutes: int, actor: User,
    care_team: CareTeam | None = None,
) -> Appointment:  # fmt: skip
    """Book an appointment and notify the patient.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: ``appointment_past``.
    """
    require_care(actor, patient)
    if starts_at <= timezone.now():
        raise UserError("appointment_past")
    with transaction.atomic():
        appointment = Appointment(
            patient=patient,
            care_team=care_team or patient.care_teams.first(),
            starts_at=starts_at,
            minutes=minutes,
            booked_by=actor,
        )
        appointment.title, appointment.place = title.strip()[:200], place.strip()[:200]
        appointment.save(force_insert=True)
        audit.record(actor, "appointment.booked", appointment, why="treatment")
        notify_patient(patient, "appointment_made")
    return appointment


def move(appointment: Appointment, starts_at: datetime, *, revision: int, actor: User) -> Appointment:
    """Reschedule an appointment; the patient is notified and has to confirm again.

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
    """Cancel an appointment and notify the patient.

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
    """Record whether the patient will attend; False if that is already recorded.

    Raises:
        PermissionError: if the actor is not the patient.
        UserError: ``appointment_closed``.
    """
    require_self(actor, appointment.patient)
    new_state = AppointmentState.CONFIRMED if coming else AppointmentState.UNWANTED
    with transaction.atomic():
        locked = Appointment.objects.select_for_update().get(pk=appointment.pk)
        if not locked.is_open:
            raise UserError("appointment_closed")
        if locked.state == new_state:
            return False
        _change(locked, locked.revision, state=new_state)
        audit.record(actor, "appointment.answered", locked, coming=coming)
        if not coming:
            team = User.objects.filter(care_teams=locked.care_team, role__in=CLINICIANS, is_active=True)
            notify(team, "appointment_unwanted")
    return True


def remind_soon() -> int:
    """Remind patients once of appointments within a day; return how many reminders were sent."""
    now = timezone.now()
    soon = Appointment.objects.filter(
        starts_at__gt=now,
        starts_at__lte=now + REMINDER_WINDOW,
        booked_at__lt=now - MIN_AGE_FOR_REMINDER,
        reminded_at=None,
    ).exclude(state__in=(AppointmentState.CANCELLED, AppointmentState.UNWANTED))
    count = 0
    for row in soon.select_related("patient__portal_user")[:BATCH_SIZE]:
        with transaction.atomic():
            if Appointment.objects.filter(pk=row.pk, reminded_at=None).update(reminded_at=now):
                notify_patient(row.patient, "appointment_soon")
                count += 1
    return count


def _change(appointment: Appointment, revision: int, **fields: object) -> None:
    rows = Appointment.objects.filter(pk=appointment.pk).exclude(state=AppointmentState.CANCELLED)
    if not rows.filter(starts_at__gt=timezone.now()).exists():
        raise UserError("appointment_closed")
    if not rows.filter(revision=revision).update(revision=F("revision") + 1, **fields):
        raise UserError("appointment_changed")

"""Erasing a patient (GDPR article 17), and the holds that forbid it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.access import require_admin
from apps.accounts.account_admin import end_access
from apps.accounts.actors import Actor, System
from apps.accounts.models import Outcome, User
from apps.jobs.errors import UserError
from apps.patients.models import Patient, RetentionHold
from apps.protection.erasure import shred
from apps.protection.models import holder_name


@dataclass(frozen=True)
class Erased:
    """What an erasure removed."""

    record: uuid.UUID
    blobs: int
    rows: int


def holds(patient: Patient) -> list[RetentionHold]:
    """The holds that forbid erasing the record now."""
    return list(patient.retention_holds.filter(lifted_at=None))


def place_hold(patient: Patient, reason: str, *, actor: Actor) -> RetentionHold:
    """Forbid erasing the record until the hold is lifted.

    Raises:
        PermissionError: if the actor is no administrator.
        UserError: ``hold_reason`` if none is stated.
    """
    require_admin(actor)
    if not reason.strip():
        raise UserError("hold_reason")
    with transaction.atomic():
        hold = RetentionHold.objects.create(
            patient=patient, reason=reason.strip()[:2000], placed_by=None if isinstance(actor, System) else actor
        )
        audit.record(actor, "hold.placed", hold)
    return hold


def lift_hold(hold: RetentionHold, *, actor: Actor) -> bool:
    """Lift a hold; False if it is lifted already.

    Raises:
        PermissionError: if the actor is no administrator.
    """
    require_admin(actor)
    lifted = RetentionHold.objects.filter(pk=hold.pk, lifted_at=None).update(
        lifted_at=timezone.now(), lifted_by=None if isinstance(actor, System) else actor
    )
    if lifted:
        audit.record(actor, "hold.lifted", hold)
    return bool(lifted)


def erase(patient: Patient, *, actor: Actor) -> Erased:
    """Destroy the patient's key, then blobs, rows and portal account; safe to repeat after a failure.

    What stays is the audit trail, which knows the record by its number only. Copies in backups cannot be
    opened any more: the key lies in no backup of the database. A backup of the key store itself must
    expire, or be made useless by ``manage.py keyring rotate --retire``.

    Raises:
        PermissionError: if the actor is no administrator.
        UserError: ``erasure_held`` if a hold forbids it.
    """
    require_admin(actor)
    record = patient.pk
    with transaction.atomic():
        locked = Patient.objects.select_for_update().get(pk=record)
        held = holds(locked)
        if held:
            audit.record(actor, "patient.erasure_refused", locked, outcome=Outcome.REFUSED, holds=len(held))
        else:
            audit.record(actor, "patient.erasure_begun", locked)
    if held:
        raise UserError("erasure_held", number=len(held))
    blobs = shred(record)
    with transaction.atomic():
        _close_account(locked.portal_user, actor)
        rows, _ = locked.delete()
        audit.record(actor, "patient.erased", patient=holder_name(record), blobs=blobs, rows=rows)
    return Erased(record, blobs, rows)


def _close_account(user: User | None, actor: Actor) -> None:
    """The account stays as a number, for the audit trail; whoever it was can sign in no more."""
    if user is None:
        return
    user.username, user.email, user.staff_name, user.is_active = f"erased-{user.pk}", "", "", False
    user.set_unusable_password()
    user.save()
    user.notices.all().delete()
    end_access(user, actor=actor)

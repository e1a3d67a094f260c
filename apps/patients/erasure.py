"""Erasure of a patient (GDPR article 17), and the legal holds that prevent it."""

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
    """Result of an erasure."""

    record: uuid.UUID
    blobs: int
    rows: int


def holds(patient: Patient) -> list[RetentionHold]:
    """Return the legal holds in force on the record."""
    return list(patient.retention_holds.filter(lifted_at=None))


def place_hold(patient: Patient, reason: str, *, actor: Actor) -> RetentionHold:
    """Place a legal hold: the record cannot be erased until it is lifted.

    Raises:
        PermissionError: if the actor is no administrator.
        UserError: ``hold_reason`` if no reason is given.
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
    """Lift a legal hold; False if it has already been lifted.

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
    """Destroy the patient's key, then blobs, rows and portal account; can be repeated after a failure.

    The audit trail remains; it refers to the record by id only. Copies in backups can no longer be
    decrypted, since database backups do not contain the key. A backup of the key store itself must
    expire, or be invalidated by ``manage.py keyring rotate --retire``.

    Raises:
        PermissionError: if the actor is no administrator.
        UserError: ``erasure_held`` if the record is under a legal hold.
    """
    require_admin(actor)
    record_id = patient.pk
    with transaction.atomic():
        locked = Patient.objects.select_for_update().get(pk=record_id)
        active_holds = holds(locked)
        if active_holds:
            audit.record(actor, "patient.erasure_refused", locked, outcome=Outcome.REFUSED, holds=len(active_holds))
        else:
            audit.record(actor, "patient.erasure_begun", locked)
    if active_holds:
        raise UserError("erasure_held", number=len(active_holds))
    blobs = shred(record_id)
    with transaction.atomic():
        _close_account(locked.portal_user, actor)
        rows, _ = locked.delete()
        audit.record(actor, "patient.erased", patient=holder_name(record_id), blobs=blobs, rows=rows)
    return Erased(record_id, blobs, rows)


def _close_account(user: User | None, actor: Actor) -> None:
    """Anonymise and deactivate the account; its row stays for the audit trail."""
    if user is None:
        return
    user.username, user.email, user.staff_name, user.is_active = f"erased-{user.pk}", "", "", False
    user.set_unusable_password()
    user.save()
    user.notices.all().delete()
    end_access(user, actor=actor)

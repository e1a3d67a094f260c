"""The account with which a patient reads their own record."""

from __future__ import annotations

from django.db import transaction

from apps.accounts import audit
from apps.accounts.access import require_admin
from apps.accounts.actors import Actor
from apps.accounts.models import Role, User
from apps.jobs.errors import UserError
from apps.patients.models import Patient


def link_account(patient: Patient, user: User | None, *, actor: Actor) -> None:
    """Link the record to this account, or to none; a previously linked account loses access.

    Raises:
        PermissionError: if the actor is no administrator.
        UserError: ``account_not_patient`` if the account has another role; ``account_taken`` if it is linked to
            another record.
    """
    require_admin(actor)
    if user is not None and user.role != Role.PATIENT:
        raise UserError("account_not_patient")
    with transaction.atomic():
        locked = Patient.objects.select_for_update().get(pk=patient.pk)
        if user is not None and Patient.objects.filter(portal_user=user).exclude(pk=patient.pk).exists():
            raise UserError("account_taken")
        before = locked.portal_user_id
        if before == (user.pk if user else None):
            return
        Patient.objects.filter(pk=patient.pk).update(portal_user=user)
        audit.record(actor, "record.linked", locked, before=before, after=user.pk if user else None)
    patient.portal_user = user

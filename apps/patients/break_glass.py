"""Break-glass access: opening a record outside the clinician's care teams, for a stated reason and a short time."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.access import is_auditor, is_clinician
from apps.accounts.models import AuditEntry, Outcome, Role, User
from apps.accounts.notifications import notify
from apps.jobs.errors import UserError
from apps.patients.access import can
from apps.patients.models import BreakGlassAccess, Patient
from apps.patients.queries import with_identity

MIN_REASON_CHARACTERS = 10
MAX_MISSES_PER_HOUR = 10
"""Rate limit against enumeration of MRNs."""


def open_record(mrn: str, issuer: str, reason: str, *, actor: User) -> BreakGlassAccess:
    """Give the actor access to the record with exactly this MRN; care team and auditors are notified immediately.

    An actor who already has break-glass access gets a new period.

    Raises:
        PermissionError: if the actor is no clinician.
        UserError: ``emergency_reason``, ``emergency_not_found``, ``emergency_too_many`` or
            ``emergency_not_needed``.
    """
    if not is_clinician(actor):
        raise PermissionError("only clinicians may use break-glass access")
    if len(reason.strip()) < MIN_REASON_CHARACTERS:
        raise UserError("emergency_reason", least=MIN_REASON_CHARACTERS)
    _check_misses(actor)
    patient = with_identity(mrn, issuer)
    if patient is None:
        audit.record(actor, "emergency.denied", outcome=Outcome.REFUSED, why="emergency")
        raise UserError("emergency_not_found")
    if can(actor, "patients.care_for_patient", patient):
        raise UserError("emergency_not_needed")
    with transaction.atomic():
        access = BreakGlassAccess.objects.create(
            patient=patient,
            user=actor,
            reason=reason.strip()[:2000],
            expires_at=timezone.now() + timedelta(minutes=settings.EMERGENCY_ACCESS_MINUTES),
        )
        audit.record(actor, "emergency.opened", access, why="emergency", minutes=settings.EMERGENCY_ACCESS_MINUTES)
        notify(_care_team(patient), "emergency_opened_team", who=str(actor))
        notify(User.objects.filter(role=Role.AUDITOR, is_active=True), "emergency_opened_auditor", who=str(actor))
    return access


def end(access: BreakGlassAccess, *, actor: User) -> bool:
    """End the access before it expires; False if it has already ended.

    Raises:
        PermissionError: if the access belongs to another user.
    """
    if access.user_id != actor.pk:
        raise PermissionError("only the user who opened a record may close it")
    ended = BreakGlassAccess.objects.filter(pk=access.pk, ended_at=None).update(ended_at=timezone.now())
    if ended:
        audit.record(actor, "emergency.ended", access, why="emergency")
    return bool(ended)


def review(access: BreakGlassAccess, verdict: BreakGlassAccess.Review, note: str, *, actor: User) -> bool:
    """Record the auditor's verdict; False if the access has already been reviewed.

    Raises:
        PermissionError: if the actor is not an auditor, or opened the record themselves.
        ValueError: if the verdict is ``PENDING``.
    """
    if not is_auditor(actor) or access.user_id == actor.pk:
        raise PermissionError("only an auditor reviews, and never their own access")
    if verdict == BreakGlassAccess.Review.PENDING:
        raise ValueError("the verdict must be justified or not justified")
    with transaction.atomic():
        locked = BreakGlassAccess.objects.select_for_update().get(pk=access.pk)
        if locked.review:
            return False
        locked.review, locked.review_note = verdict.value, note.strip()[:2000]
        locked.reviewed_by, locked.reviewed_at = actor, timezone.now()
        locked.save()
        audit.record(actor, "emergency.reviewed", locked, verdict=verdict.value)
        notify([locked.user], f"emergency_{verdict.value}", on=locked.started_at.date().isoformat())
    return True


def _check_misses(actor: User) -> None:
    hour = timezone.now() - timedelta(hours=1)
    if AuditEntry.objects.filter(actor=actor, action="emergency.denied", at__gte=hour).count() >= MAX_MISSES_PER_HOUR:
        raise UserError("emergency_too_many")


def _care_team(patient: Patient) -> list[User]:
    return list(User.objects.filter(care_teams__patients=patient, is_active=True).distinct())

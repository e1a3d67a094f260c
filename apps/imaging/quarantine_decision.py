"""Decisions on quarantined files.

A file is marked as decided only after it was filed, and deleted only after that: whatever fails or is killed between
the steps leaves it quarantined or filed, never neither. A step that is repeated changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import CareTeam, User
from apps.accounts.models import Outcome as AuditOutcome
from apps.imaging.access import can
from apps.imaging.ingest import Received, receive_decided
from apps.imaging.messages import HELD_REASONS
from apps.imaging.models import FILED, Decision, Instance, QuarantinedFile
from apps.imaging.quarantine import open_held
from apps.jobs.errors import UserError
from apps.patients.access import can as can_patient
from apps.patients.identity import Identity, register
from apps.patients.models import Patient
from apps.patients.queries import with_identity
from apps.protection import blobs
from apps.protection.durability import durable_commit

MAX_TOGETHER = 500
"""Files that are decided on in one request; the others wait for the next."""


@dataclass
class Decided:
    """What became of files that were decided on together.

    Attributes:
        filed: those in the archive now.
        discarded: number of those that were deleted.
        kept: those still quarantined, because they could not be filed, with the reason.
    """

    filed: list[Instance] = field(default_factory=list)
    discarded: int = 0
    kept: list[Received] = field(default_factory=list)


def decide(
    quarantined: QuarantinedFile, decision: Decision, *, actor: User, patient: Patient | None = None
) -> Received | None:
    """File a quarantined file, or discard it. A second decision has no effect.

    If it cannot be filed, it stays quarantined, for the reason that is returned and shown from then on.

    Args:
        patient: the record to file it under, of :attr:`Decision.ASSIGNED`.

    Returns:
        The result of filing, else None; a file that was discarded or had been decided on has none.

    Raises:
        PermissionError: if the actor may not decide on the file, or file it under this record.
        ValueError: if there is no record to file it under.
    """
    _require(quarantined, decision, actor, patient)
    if decision == Decision.OTHER:
        _discard(quarantined, actor)
        return None
    target = patient if decision == Decision.ASSIGNED else quarantined.patient
    if target is None:
        raise ValueError("a file is filed under a record")
    if not QuarantinedFile.objects.filter(pk=quarantined.pk, decision="").exists():
        return None
    return _file(quarantined, decision, target, actor)


def decide_together(
    files: Sequence[QuarantinedFile], decision: Decision, *, actor: User, patient: Patient | None = None
) -> Decided:
    """Decide on several files one by one; see :func:`decide`. What happens to one does not stop the others."""
    decided = Decided()
    for quarantined in files[:MAX_TOGETHER]:
        received = decide(quarantined, decision, actor=actor, patient=patient)
        if received is None:
            decided.discarded += decision == Decision.OTHER
        elif _belongs_to(received, patient or quarantined.patient) and received.instance is not None:
            decided.filed.append(received.instance)
        else:
            decided.kept.append(received)
    return decided


def register_patient(
    quarantined: QuarantinedFile, identity: Identity, *, care_teams: list[CareTeam], actor: User
) -> Patient:
    """Create the record of the patient to whom a quarantined file belongs.

    Raises:
        PermissionError: if the actor may not decide on the file, or is not in the care team.
        UserError: ``mrn_exists`` if there is a record with this MRN and issuer; ``no_care_team``.
    """
    if not can(actor, "imaging.assign_heldfile", quarantined):
        raise PermissionError("only those who decide on the file register its patient")
    if not care_teams:
        raise UserError("no_care_team")
    if with_identity(identity.mrn, identity.issuer) is not None:
        raise UserError("mrn_exists")
    return register(identity, care_teams=care_teams, actor=actor)


def _require(quarantined: QuarantinedFile, decision: Decision, actor: User, patient: Patient | None) -> None:
    if can(actor, "imaging.decide_heldfile", quarantined):
        if decision != Decision.ASSIGNED or patient is None or can_patient(actor, "patients.view_patient", patient):
            return
        raise PermissionError("only the patient's care team files under the record")
    if decision == Decision.ASSIGNED and can(actor, "imaging.assign_heldfile", quarantined):
        return
    raise PermissionError("only the patient's care team decides")


def _file(quarantined: QuarantinedFile, decision: Decision, patient: Patient, actor: User) -> Received | None:
    try:
        with open_held(quarantined) as file:
            received = receive_decided(file.as_file(), actor=actor, patient=patient)
    except FileNotFoundError:
        if QuarantinedFile.objects.filter(pk=quarantined.pk, decision="").exists():
            raise  # it is lost, and nobody decided on it
        return None
    if not _belongs_to(received, patient):
        return _keep(quarantined, received, actor)
    with durable_commit(), transaction.atomic():  # the decision outlasts a power failure before the file is deleted
        # Filed prevails over discarded: somebody may have discarded it while it was being filed.
        changed = (
            QuarantinedFile.objects.filter(pk=quarantined.pk)
            .exclude(decision__in=FILED)
            .update(decision=decision, decided_by=actor, decided_at=timezone.now(), instance=received.instance)
        )
        if changed:
            _forget_claims(quarantined)
            stored = str(received.instance.pk) if received.instance else ""
            audit.record(actor, "file.decided", quarantined, decision=decision.value, instance=stored)
    blobs.delete(quarantined.blob)
    return received


def _belongs_to(received: Received, patient: Patient | None) -> bool:
    """Return whether the file is in the archive now, and under this record."""
    return received.instance is not None and received.patient is not None and received.patient == patient


def _keep(quarantined: QuarantinedFile, received: Received, actor: User) -> Received:
    """Leave the file quarantined, for the reason why it could not be filed."""
    code = "stored_for_other_patient" if received.instance is not None else received.code
    with transaction.atomic():
        if code in HELD_REASONS:
            QuarantinedFile.objects.filter(pk=quarantined.pk, decision="").update(reason_code=code)
        audit.record(actor, "file.not_filed", quarantined, outcome=AuditOutcome.REFUSED, reason=code)
    return Received(received.outcome, code, received.parameters)


def _discard(quarantined: QuarantinedFile, actor: User) -> None:
    with durable_commit(), transaction.atomic():
        first = QuarantinedFile.objects.filter(pk=quarantined.pk, decision="").update(
            decision=Decision.OTHER, decided_by=actor, decided_at=timezone.now()
        )
        if not first:
            return
        _forget_claims(quarantined)
        audit.record(actor, "file.decided", quarantined, decision=Decision.OTHER.value)
    blobs.delete(quarantined.blob)


def _forget_claims(quarantined: QuarantinedFile) -> None:
    """Empty the claimed identity of a file that named no patient: sealed for the site, it would outlive an erasure."""
    if quarantined.patient_id is None:
        quarantined.claimed_name, quarantined.claimed_birth_date, quarantined.headers = "", None, {}
        quarantined.save(update_fields=["claimed_name", "claimed_birth_date", "headers"])

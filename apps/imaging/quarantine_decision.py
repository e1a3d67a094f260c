"""A doctor's decision on a quarantined file."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import User
from apps.imaging.access import can
from apps.imaging.ingest import Received, receive
from apps.imaging.models import Decision, QuarantinedFile
from apps.protection import blobs, containers


def decide(quarantined: QuarantinedFile, decision: Decision, *, actor: User) -> Received | None:
    """File it under the existing record, or discard it. A second decision has no effect.

    Returns:
        The result of ingestion if the file was filed, else None.

    Raises:
        PermissionError: if the actor does not care for the patient.
    """
    if not can(actor, "imaging.decide_heldfile", quarantined):
        raise PermissionError("only the patient's care team decides")
    with transaction.atomic():
        first = QuarantinedFile.objects.filter(pk=quarantined.pk, decision="").update(
            decision=decision, decided_by=actor, decided_at=timezone.now()
        )
        if not first:
            return None
        audit.record(actor, "file.decided", quarantined, decision=decision.value)
    received = None
    if decision == Decision.SAME:
        with containers.SealedContainer(quarantined.blob, holder=quarantined.key_holder) as file:
            received = receive(file.as_file(), actor=actor, patient=quarantined.patient)
    blobs.delete(quarantined.blob)
    return received

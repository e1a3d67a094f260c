"""A doctor's decision on a quarantined file."""

from __future__ import annotations

import tempfile

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import User
from apps.imaging.access import can
from apps.imaging.ingest import Received, receive
from apps.imaging.models import Decision, QuarantinedFile
from apps.imaging.quarantine import delete_parts
from apps.protection import blobs


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
        with tempfile.TemporaryFile() as stream:
            for number in range(quarantined.parts):
                stream.write(blobs.read(quarantined.part_blob(number), holder=quarantined.key_holder))
            received = receive(stream, actor=actor, patient=quarantined.patient)
    delete_parts(quarantined)
    return received

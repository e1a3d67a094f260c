"""A doctor decides whose a file is that was put aside."""

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


def decide(held: QuarantinedFile, decision: Decision, *, actor: User) -> Received | None:
    """File it under the known record, or discard it. A second decision changes nothing.

    Returns:
        What became of the file if it was filed.

    Raises:
        PermissionError: if the actor does not care for the patient.
    """
    if not can(actor, "imaging.decide_heldfile", held):
        raise PermissionError("only the patient's care team decides")
    with transaction.atomic():
        first = QuarantinedFile.objects.filter(pk=held.pk, decision="").update(
            decision=decision, decided_by=actor, decided_at=timezone.now()
        )
        if not first:
            return None
        audit.record(actor, "file.decided", held, decision=decision.value)
    received = None
    if decision == Decision.SAME:
        with tempfile.TemporaryFile() as stream:
            for number in range(held.parts):
                stream.write(blobs.read(held.part_blob(number), holder=held.key_holder))
            received = receive(stream, actor=actor, patient=held.patient)
    delete_parts(held)
    return received

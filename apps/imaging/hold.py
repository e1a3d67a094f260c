"""Putting a file aside for a doctor to decide whose it is."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, BinaryIO

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.accounts.models import User
from apps.imaging.access import can
from apps.imaging.dicom.facts import Facts
from apps.imaging.models import Decision, HeldFile
from apps.patients.models import Patient
from apps.protection import blobs

if TYPE_CHECKING:
    from apps.imaging.ingest import Received

PART_BYTES = 16 * 2**20


def hold(
    stream: BinaryIO, *, patient: Patient, facts: Facts, reason_code: str, content_index: str, actor: Actor
) -> HeldFile:
    """Seal the whole file until :func:`decide`; the same file is held once."""
    waiting = HeldFile.objects.filter(patient=patient, content_index=content_index, decision="").first()
    if waiting is not None:
        return waiting
    held = HeldFile(
        patient=patient,
        uploaded_by=None if isinstance(actor, System) else actor,
        claimed_name=facts.patient_name,
        claimed_birth_date=facts.birth_date,
        reason_code=reason_code,
        modality=facts.modality,
        content_index=content_index,
        parts=0,
    )
    stream.seek(0)
    try:
        while part := stream.read(PART_BYTES):
            blobs.write(held.part_blob(held.parts), part)
            held.parts += 1
        with transaction.atomic():
            held.save(force_insert=True)
            audit.record(actor, "file.held", held, reason=reason_code)
    except BaseException:
        _delete_parts(held)
        raise
    return held


def decide(held: HeldFile, decision: Decision, *, actor: User) -> Received | None:
    """File it under the known record, or discard it. A second decision changes nothing.

    Returns:
        What became of the file if it was filed.

    Raises:
        PermissionError: if the actor does not care for the patient.
    """
    from apps.imaging.ingest import receive

    if not can(actor, "imaging.decide_heldfile", held):
        raise PermissionError("only the patient's care team decides")
    with transaction.atomic():
        first = HeldFile.objects.filter(pk=held.pk, decision="").update(
            decision=decision, decided_by=actor, decided_at=timezone.now()
        )
        if not first:
            return None
        audit.record(actor, "file.decided", held, decision=decision.value)
    received = None
    if decision == Decision.SAME:
        with tempfile.TemporaryFile() as stream:
            for number in range(held.parts):
                stream.write(blobs.read(held.part_blob(number)))
            received = receive(stream, actor=actor, patient=held.patient)
    _delete_parts(held)
    return received


def _delete_parts(held: HeldFile) -> None:
    for number in range(held.parts + 1):
        blobs.delete(held.part_blob(number))

"""Putting a file aside for a doctor to decide whose it is."""

from __future__ import annotations

from typing import BinaryIO

from django.db import transaction

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.imaging.dicom.facts import Facts
from apps.imaging.models import HeldFile
from apps.patients.models import Patient
from apps.protection import blobs

PART_BYTES = 16 * 2**20


def hold(
    stream: BinaryIO, *, patient: Patient, facts: Facts, reason_code: str, content_index: str, actor: Actor
) -> HeldFile:
    """Seal the whole file until :func:`apps.imaging.decision.decide`; the same file is held once."""
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
        delete_parts(held)
        raise
    return held


def delete_parts(held: HeldFile) -> None:
    """Remove the sealed parts."""
    for number in range(held.parts + 1):
        blobs.delete(held.part_blob(number))

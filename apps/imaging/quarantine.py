"""Putting a file aside for a doctor to decide whose it is."""

from __future__ import annotations

from typing import BinaryIO

from django.db import transaction

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.imaging.dicom.attributes import Attributes
from apps.imaging.models import QuarantinedFile
from apps.patients.models import Patient
from apps.protection import blobs
from apps.protection.indexing import Progress
from apps.protection.keyring import keyring

PART_BYTES = 16 * 2**20


def hold(
    stream: BinaryIO, *, patient: Patient, facts: Attributes, reason_code: str, digest: str, actor: Actor
) -> QuarantinedFile:
    """Seal the whole file until :func:`apps.imaging.quarantine_decision.decide`; the same file is held once."""
    tokens = content_tokens(digest)
    waiting = QuarantinedFile.objects.filter(patient=patient, content_index__in=tokens, decision="").first()
    if waiting is not None:
        return waiting
    held = QuarantinedFile(
        patient=patient,
        uploaded_by=None if isinstance(actor, System) else actor,
        claimed_name=facts.patient_name,
        claimed_birth_date=facts.birth_date,
        reason_code=reason_code,
        modality=facts.modality,
        content_index=tokens[0],
        content_digest=digest,
        parts=0,
    )
    stream.seek(0)
    try:
        while part := stream.read(PART_BYTES):
            blobs.write(held.part_blob(held.parts), part, holder=held.key_holder)
            held.parts += 1
        with transaction.atomic():
            held.save(force_insert=True)
            audit.record(actor, "file.held", held, reason=reason_code)
    except BaseException:
        delete_parts(held)
        raise
    return held


def content_tokens(digest: str) -> list[str]:
    """The blind indexes of a file's digest, that of the primary key first."""
    ring = keyring()
    tokens = ring.indexes("imaging.content", digest)
    return [tokens[key_id] for key_id in ring.index_ids]


def reindex(progress: Progress) -> None:
    """Fill the blind indexes of waiting files anew."""
    waiting = QuarantinedFile.objects.filter(decision="")
    total = waiting.count()
    for number, held in enumerate(waiting.iterator(), start=1):
        token = content_tokens(held.content_digest)[-1]
        QuarantinedFile.objects.filter(pk=held.pk).exclude(content_index=token).update(content_index=token)
        progress("files put aside", number, total)


def delete_parts(held: QuarantinedFile) -> None:
    """Remove the sealed parts."""
    for number in range(held.parts + 1):
        blobs.delete(held.part_blob(number))

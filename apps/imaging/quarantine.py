"""Quarantine: keeping a file until a clinician decides to which patient it belongs."""

from __future__ import annotations

from typing import BinaryIO

from django.db import transaction

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.imaging.dicom.attributes import Attributes
from apps.imaging.models import QuarantinedFile
from apps.patients.models import Patient
from apps.protection import blobs, containers
from apps.protection.durability import durable_commit
from apps.protection.indexing import Progress
from apps.protection.keyring import keyring


def quarantine_file(
    stream: BinaryIO, *, patient: Patient | None, attributes: Attributes, reason_code: str, digest: str, actor: Actor
) -> QuarantinedFile:
    """Store the encrypted file until :func:`apps.imaging.quarantine_decision.decide`; each file is quarantined once."""
    tokens = content_tokens(digest)
    pending = QuarantinedFile.objects.filter(patient=patient, content_index__in=tokens, decision="").first()
    if pending is not None:
        return pending
    quarantined = QuarantinedFile(
        patient=patient,
        uploaded_by=None if isinstance(actor, System) else actor,
        claimed_name=attributes.patient_name,
        claimed_birth_date=attributes.birth_date,
        reason_code=reason_code,
        modality=attributes.modality,
        content_index=tokens[0],
        content_digest=digest,
        size=stream.seek(0, 2),
    )
    try:
        containers.write(quarantined.blob, stream, holder=quarantined.key_holder)
        with durable_commit(), transaction.atomic():
            quarantined.save(force_insert=True)
            audit.record(actor, "file.held", quarantined, reason=reason_code)
    except BaseException:
        blobs.delete(quarantined.blob)
        raise
    return quarantined


def content_tokens(digest: str) -> list[str]:
    """Compute the blind-index tokens of a file's digest, that of the primary key first."""
    ring = keyring()
    tokens = ring.indexes("imaging.content", digest)
    return [tokens[key_id] for key_id in ring.index_ids]


def reindex(progress: Progress) -> None:
    """Recompute the blind indexes of undecided files."""
    pending = QuarantinedFile.objects.filter(decision="")
    total = pending.count()
    for number, quarantined in enumerate(pending.iterator(), start=1):
        token = content_tokens(quarantined.content_digest)[-1]
        QuarantinedFile.objects.filter(pk=quarantined.pk).exclude(content_index=token).update(content_index=token)
        progress("quarantined files", number, total)

"""Quarantine: keeping a file until somebody decides to which patient it belongs."""

from __future__ import annotations

from typing import Any, BinaryIO

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.accounts.models import Notice
from apps.accounts.notifications import notify
from apps.imaging.access import deciders_of, quarantined_visible_to
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
    """Store the encrypted file until :func:`apps.imaging.quarantine_decision.decide`; each file is quarantined once.

    Those who may decide are notified, unless they have such a notification that they have not read.
    """
    uploader = None if isinstance(actor, System) else actor
    pending = _pending(patient, digest, uploader)
    if pending is not None:
        return pending
    quarantined = QuarantinedFile(
        patient=patient,
        uploaded_by=uploader,
        claimed_name=attributes.patient_name,
        claimed_birth_date=attributes.birth_date,
        headers=_headers(attributes),
        reason_code=reason_code,
        modality=attributes.modality,
        content_index=_primary(content_tokens(digest)),
        content_digest=digest,
        size=stream.seek(0, 2),
    )
    quarantined.group_index = _primary(_group_tokens(quarantined))
    try:
        containers.write(quarantined.blob, stream, holder=quarantined.key_holder)
        with durable_commit(), transaction.atomic():
            quarantined.save(force_insert=True)
            audit.record(actor, "file.held", quarantined, reason=reason_code)
            _notify(quarantined)
    except IntegrityError:  # the same file was quarantined concurrently
        blobs.delete(quarantined.blob)
        pending = _pending(patient, digest, uploader)
        if pending is None:
            raise
        return pending
    except BaseException:
        blobs.delete(quarantined.blob)
        raise
    return quarantined


def held_together(quarantined: QuarantinedFile) -> QuerySet[QuarantinedFile]:
    """Return the undecided files that can be decided on together with this one, itself included, oldest first.

    They came from the same user, are of the same study, name the same person and are held for the same reason.
    """
    return QuarantinedFile.objects.filter(
        decision="",
        uploaded_by=quarantined.uploaded_by_id,
        reason_code=quarantined.reason_code,
        patient=quarantined.patient_id,
        group_index=quarantined.group_index,
    ).order_by("created_at", "pk")


def decidable(actor: Actor) -> QuerySet[QuarantinedFile]:
    """Return the undecided files on which this actor may decide, or which they may assign."""
    return quarantined_visible_to(actor).filter(decision="")


def open_held(quarantined: QuarantinedFile) -> containers.SealedContainer:
    """Open the file as received; the caller closes it.

    Raises:
        FileNotFoundError: if it is lost, or was decided on meanwhile.
        CannotOpen: if the key is missing or the file was damaged.
    """
    return containers.SealedContainer(quarantined.blob, holder=quarantined.key_holder)


def content_tokens(digest: str) -> list[str]:
    """Compute the blind-index tokens of a file's digest, that of the primary key first."""
    return _tokens("imaging.content", digest)


def reindex(progress: Progress) -> None:
    """Recompute the blind indexes of undecided files."""
    pending = QuarantinedFile.objects.filter(decision="")
    total = pending.count()
    for number, quarantined in enumerate(pending.iterator(), start=1):
        content, group = content_tokens(quarantined.content_digest)[-1], _group_tokens(quarantined)[-1]
        if (quarantined.content_index, quarantined.group_index) != (content, group):
            QuarantinedFile.objects.filter(pk=quarantined.pk).update(content_index=content, group_index=group)
        progress("quarantined files", number, total)


def _notify(quarantined: QuarantinedFile) -> None:
    told = Notice.objects.filter(code="file_held", read_at=None).values("user")
    waiting = deciders_of(quarantined).exclude(pk__in=told)
    notify([user for user in waiting if user != quarantined.uploaded_by], "file_held")


def _pending(patient: Patient | None, digest: str, uploader: Any) -> QuarantinedFile | None:
    same = QuarantinedFile.objects.filter(patient=patient, content_index__in=content_tokens(digest), decision="")
    return (same.filter(uploaded_by=uploader) if patient is None else same).first()


def _headers(attributes: Attributes) -> dict[str, Any]:
    return {
        "patient_id": attributes.patient_id,
        "issuer": attributes.issuer,
        "sex": attributes.sex,
        "study_uid": attributes.study_uid,
        "study_date": attributes.study_date.isoformat() if attributes.study_date else "",
        "study_description": attributes.study_description,
        "accession_number": attributes.accession_number,
        "series_description": attributes.series_description,
        "sop_class_uid": attributes.sop_class_uid,
        "sop_instance_uid": attributes.sop_instance_uid,
        "instance_number": attributes.instance_number,
    }


def _group_tokens(quarantined: QuarantinedFile) -> list[str]:
    said = quarantined.headers or {}
    born = quarantined.claimed_birth_date
    parts = [said.get("study_uid", str(quarantined.pk)), said.get("patient_id", ""), said.get("issuer", "")]
    parts += [quarantined.claimed_name, born.isoformat() if born else ""]
    return _tokens("imaging.held-group", "\0".join(parts))


def _tokens(purpose: str, value: str) -> list[str]:
    ring = keyring()
    tokens = ring.indexes(purpose, value)
    return [tokens[key_id] for key_id in ring.index_ids]


def _primary(tokens: list[str]) -> str:
    return tokens[0]

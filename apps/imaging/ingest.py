"""Ingestion of DICOM files, from any source."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from django.db import IntegrityError

from apps.accounts.actors import Actor
from apps.accounts.models import CareTeam
from apps.imaging.access import can
from apps.imaging.deletion import restore_instance
from apps.imaging.dicom.multipart import Part
from apps.imaging.dicom.parser import Unreadable, problem_parameters
from apps.imaging.filing import Conflict, Overtaken, file_together
from apps.imaging.incoming import Incoming, Received, Sender, parse
from apps.imaging.models import Instance, Outcome
from apps.imaging.quarantine import quarantine_file
from apps.imaging.queries import layout_of, open_file
from apps.imaging.verification import problem_of
from apps.patients.access import can as can_patient
from apps.patients.models import Patient

logger = logging.getLogger(__name__)

BATCH_FILES = 100
BATCH_BYTES = 64 * 2**20
"""Files of one request that are filed in one transaction, at most."""


def receive(
    stream: BinaryIO,
    *,
    actor: Actor,
    care_teams: list[CareTeam] | None = None,
    patient: Patient | None = None,
    urgent: bool = True,
) -> Received:
    """Validate, encrypt and index one file; idempotent and safe to run concurrently.

    Any SOP class is stored, byte for byte, whether or not it can be drawn. A file that cannot be filed without a
    decision is quarantined.

    Args:
        stream: a seekable file.
        care_teams: care teams of a newly created record; default: the actor's teams.
        patient: the record to file it under, if a clinician has decided on that.
        urgent: whether a user is waiting for the analysis.

    Raises:
        PermissionError: if the actor may not upload.
    """
    _require_upload(actor)
    prepared = _prepare(stream, Sender(actor, care_teams, patient, urgent))
    return prepared if isinstance(prepared, Received) else _file_alone(prepared)


def receive_decided(stream: BinaryIO, *, actor: Actor, patient: Patient) -> Received:
    """File a quarantined file under the record on which a user has decided; the caller has checked the permission.

    If it still cannot be filed, it is not quarantined again: the outcome says why, and the caller keeps it.
    """
    prepared = _prepare(stream, Sender(actor, None, patient, holds=False))
    return prepared if isinstance(prepared, Received) else _file_alone(prepared)


def receive_all(parts: Iterable[Part], *, actor: Actor, study_uid: str = "") -> Iterator[Received]:
    """Ingest the files of one request, each with its own outcome and in their order; see :func:`receive`.

    What can be filed without a decision is filed in batches; each is committed before its outcomes are yielded.

    Args:
        study_uid: the study they must belong to, if given.
    """
    _require_upload(actor)
    sender = Sender(actor, study_uid=study_uid)
    batch: list[Part] = []
    size = 0
    try:
        for part in parts:
            batch.append(part)
            size += part.content.seek(0, 2)
            if len(batch) == BATCH_FILES or size >= BATCH_BYTES:
                yield from _receive_batch(batch, sender)
                batch, size = [], 0
    except Exception:
        yield from _receive_batch(batch, sender)  # what arrived whole before the body broke off is kept
        raise
    yield from _receive_batch(batch, sender)


def _require_upload(actor: Actor) -> None:
    if not can(actor, "imaging.upload"):
        raise PermissionError("only clinicians upload")


def _receive_batch(batch: list[Part], sender: Sender) -> list[Received]:
    try:
        prepared = [_prepare(part.content, sender) for part in batch]
        together = _independent([item for item in prepared if isinstance(item, Incoming)])
        filed = _try_together(together)
        return [item if isinstance(item, Received) else filed.get(id(item)) or _file_alone(item) for item in prepared]
    finally:
        for part in batch:
            part.content.close()


def _prepare(stream: BinaryIO, sender: Sender) -> Incoming | Received:
    try:
        incoming = parse(stream, sender)
    except Unreadable as problem:
        return Received(Outcome.REFUSED, problem.code, problem.parameters)
    if sender.study_uid and incoming.attributes.study_uid != sender.study_uid:
        return incoming.result(Outcome.REFUSED, "study_differs")
    return incoming


def _independent(group: list[Incoming]) -> list[Incoming]:
    """Select the files that are new and name a patient; the others are judged one by one."""
    times = Counter(incoming.attributes.sop_instance_uid for incoming in group)
    stored = set(Instance.every.filter(sop_instance_uid__in=times).values_list("sop_instance_uid", flat=True))
    return [
        incoming
        for incoming in group
        if incoming.attributes.patient_id
        and times[incoming.attributes.sop_instance_uid] == 1
        and incoming.attributes.sop_instance_uid not in stored
    ]


def _try_together(group: list[Incoming]) -> dict[int, Received]:
    """File a group in one transaction; nothing of it if one of them needs a decision or another request is faster."""
    if len(group) < 2:
        return {}
    try:
        instances = file_together(group)
    except (Conflict, Overtaken, IntegrityError, Unreadable):
        return {}
    return {id(incoming): _stored_result(incoming, row) for incoming, row in zip(group, instances, strict=True)}


def _file_alone(incoming: Incoming) -> Received:
    existing = _stored(incoming)
    if existing is not None:
        return _file_again(incoming, existing)
    if not incoming.attributes.patient_id and incoming.sender.patient is None:
        return _hold(incoming, "no_patient_id", None)
    try:
        (instance,) = file_together([incoming])
    except Overtaken:
        return _file_alone(incoming)
    except Conflict as conflict:
        return _hold(incoming, conflict.code, conflict.patient)
    except Unreadable as problem:
        return incoming.result(Outcome.REFUSED, problem.code, problem.parameters)
    except IntegrityError:  # the same file was stored concurrently by another request
        existing = _stored(incoming)
        if existing is None:
            raise
        return _file_again(incoming, existing)
    return _stored_result(incoming, instance)


def _stored_result(incoming: Incoming, instance: Instance) -> Received:
    parameters = problem_parameters(incoming.dicom.layout)
    return incoming.result(Outcome.STORED, instance.problem, parameters, instance)


def _stored(incoming: Incoming) -> Instance | None:
    instances = Instance.every.select_related("series__study__patient")
    return instances.filter(sop_instance_uid=incoming.attributes.sop_instance_uid).first()


def _hold(incoming: Incoming, code: str, patient: Patient | None) -> Received:
    if not incoming.sender.holds:
        return incoming.result(Outcome.HELD, code, patient=patient)
    quarantine_file(
        incoming.stream,
        patient=patient,
        attributes=incoming.attributes,
        reason_code=code,
        digest=incoming.digest,
        actor=incoming.sender.actor,
    )
    return incoming.result(Outcome.HELD, code, patient=patient)


def _file_again(incoming: Incoming, existing: Instance) -> Received:
    """Recognise a file that is stored already; one with the same UID and other content is held.

    Whoever may not see the stored one learns nothing of it: the file is held until its care team decides.
    """
    if not can_patient(incoming.sender.actor, "patients.view_patient", existing.series.study.patient):
        return _hold(incoming, "other_care_team", existing.series.study.patient)
    identical = existing.content_digest == incoming.digest
    if identical and (problem := problem_of(existing)):
        logger.error("%s: the stored file is %s and is replaced by the same one, sent again", existing.pk, problem)
        incoming.write(existing.blob, existing.key_holder)
    same = identical or _same_data_set(incoming, existing)
    if same and existing.deleted_at is not None:
        return _restore(incoming, existing)
    if same:
        return incoming.result(Outcome.DUPLICATE, "duplicate", instance=existing)
    return _hold(incoming, "sop_instance_differs", existing.series.study.patient)


def _restore(incoming: Incoming, existing: Instance) -> Received:
    """Take back a deletion, since the object was sent again."""
    try:
        restored = restore_instance(existing, actor=incoming.sender.actor)
    except PermissionError:
        return _hold(incoming, "other_care_team", existing.series.study.patient)
    if not restored:  # destroyed or restored by another process meanwhile
        return _file_alone(incoming)
    return _stored_result(incoming, existing)


def _same_data_set(incoming: Incoming, existing: Instance) -> bool:
    """Return whether only preamble and meta information differ, which every archive writes itself."""
    if problem_of(existing):
        return False
    with open_file(existing) as stored:
        layout = layout_of(stored)
        if layout.transfer_syntax != incoming.dicom.layout.transfer_syntax:
            return False
        stored.seek(layout.dataset)
        incoming.stream.seek(incoming.dicom.layout.dataset)
        return _digest_of_rest(stored.as_file()) == _digest_of_rest(incoming.stream)


def _digest_of_rest(stream: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    while block := stream.read(2**20):
        digest.update(block)
    return digest.digest()


__all__ = ["Received", "receive", "receive_all", "receive_decided"]

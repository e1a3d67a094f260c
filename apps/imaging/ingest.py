"""Ingestion of one DICOM file, from any source."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import BinaryIO

from django.db import IntegrityError, transaction

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.accounts.models import CareTeam
from apps.imaging.access import can
from apps.imaging.dicom.attributes import Attributes, read_attributes
from apps.imaging.dicom.parser import DicomObject, Unreadable, open_object
from apps.imaging.dicom.pixels import decode_frame
from apps.imaging.events import InstanceStored
from apps.imaging.models import Instance, Outcome, Series, Study, Urgency
from apps.imaging.quarantine import quarantine_file
from apps.jobs.events import publish
from apps.patients.identity import Identity, Verdict, match, register
from apps.patients.models import Patient
from apps.protection import blobs
from apps.protection.models import holder_name


@dataclass(frozen=True)
class Received:
    """Result of ingesting a file; ``instance`` is set if it is stored, now or previously."""

    outcome: Outcome
    code: str = ""
    parameters: dict[str, str | int] = field(default_factory=dict)
    instance: Instance | None = None
    patient: Patient | None = None
    sop_class_uid: str = ""
    sop_instance_uid: str = ""


def receive(
    stream: BinaryIO,
    *,
    actor: Actor,
    care_teams: list[CareTeam] | None = None,
    patient: Patient | None = None,
    urgent: bool = True,
) -> Received:
    """Validate, encrypt and index one file; idempotent and safe to run concurrently.

    Args:
        stream: a seekable file.
        care_teams: care teams of a newly created record; default: the actor's teams.
        patient: the record to file it under, if a doctor has decided on that.
        urgent: whether a user is waiting for the analysis.

    Raises:
        PermissionError: if the actor may not upload.
    """
    if not can(actor, "imaging.upload"):
        raise PermissionError("only clinicians upload")
    try:
        dicom = open_object(stream)
        attributes = read_attributes(dicom.header)
    except Unreadable as problem:
        return Received(Outcome.REFUSED, problem.code, problem.parameters)
    try:
        return _file(dicom, attributes, _digest(stream), stream, actor, care_teams, patient, urgent)
    except Unreadable as problem:
        return _result(attributes, Outcome.REFUSED, problem.code, problem.parameters)


def _file(
    dicom: DicomObject,
    attributes: Attributes,
    digest: str,
    stream: BinaryIO,
    actor: Actor,
    care_teams: list[CareTeam] | None,
    patient: Patient | None,
    urgent: bool,
) -> Received:
    existing = _stored(attributes)
    if existing is not None:
        return _duplicate(existing, attributes, digest)
    if not attributes.patient_id:
        raise Unreadable("no_patient_id")
    _first_frame_decodes(dicom)
    instance = _new_instance(dicom, attributes, digest)
    try:
        # Blobs are sealed under the patient's key, so the record's id is chosen before the record is created.
        matched = patient or _check_reach(attributes, actor, care_teams)
        owner = matched.pk if matched else uuid.uuid4()
        _write_blobs(instance, dicom, holder_name(owner))
        with transaction.atomic():
            filed = patient or _patient(attributes, actor, care_teams, owner)
            if filed.pk != owner:
                raise _Overtaken
            _index(instance, attributes, filed, actor, urgent)
    except _Overtaken:
        _delete_blobs(instance)
        return _file(dicom, attributes, digest, stream, actor, care_teams, patient, urgent)
    except _Conflict as conflict:
        _delete_blobs(instance)
        code = conflict.code
        quarantine_file(
            stream, patient=conflict.patient, attributes=attributes, reason_code=code, digest=digest, actor=actor
        )
        return _result(attributes, Outcome.HELD, code, patient=conflict.patient)
    except IntegrityError:
        # The same file was stored concurrently by another upload: remove our blobs.
        _delete_blobs(instance)
        existing = _stored(attributes)
        if existing is None:
            raise
        return _duplicate(existing, attributes, digest)
    except BaseException:
        _delete_blobs(instance)
        raise
    return _result(attributes, Outcome.STORED, instance=instance)


class _Overtaken(Exception):
    """Another upload created the patient's record first: the blobs must be sealed under its key."""


class _Conflict(Exception):
    """A doctor has to decide to which patient the file belongs."""

    def __init__(self, code: str, patient: Patient) -> None:
        super().__init__(code)
        self.code, self.patient = code, patient


def _stored(attributes: Attributes) -> Instance | None:
    instances = Instance.objects.select_related("series__study__patient")
    return instances.filter(sop_instance_uid=attributes.sop_instance_uid).first()


def _identity(attributes: Attributes) -> Identity:
    return Identity(
        attributes.patient_id,
        attributes.issuer,
        attributes.patient_name,
        attributes.birth_date,
        attributes.sex,
        attributes.address,
    )


def _check_reach(attributes: Attributes, actor: Actor, care_teams: list[CareTeam] | None) -> Patient | None:
    """Return the matching patient, or None if the record has yet to be created.

    Raises:
        _Conflict: if a doctor has to decide.
        Unreadable: ``no_care_team`` if nobody would have access to a new patient.
    """
    matched = match(_identity(attributes), actor=actor)
    conflicts = {Verdict.CONFLICT: "identity_conflict", Verdict.OUT_OF_REACH: "other_care_team"}
    if matched.patient is not None and matched.verdict in conflicts:
        raise _Conflict(conflicts[matched.verdict], matched.patient)
    if matched.patient is None and not _teams(actor, care_teams):
        raise Unreadable("no_care_team")
    return matched.patient


def _patient(attributes: Attributes, actor: Actor, care_teams: list[CareTeam] | None, pk: uuid.UUID) -> Patient:
    """Return the patient to file under, creating it if needed; re-matched, as another upload may be faster."""
    patient = _check_reach(attributes, actor, care_teams)
    if patient is not None:
        return patient
    register(_identity(attributes), care_teams=_teams(actor, care_teams), actor=actor, pk=pk)
    registered = _check_reach(attributes, actor, care_teams)
    assert registered is not None
    return registered


def _teams(actor: Actor, care_teams: list[CareTeam] | None) -> list[CareTeam]:
    if care_teams is not None:
        return care_teams
    return [] if isinstance(actor, System) else list(actor.care_teams.all())


def _duplicate(existing: Instance, attributes: Attributes, digest: str) -> Received:
    if existing.content_digest == digest:
        return _result(attributes, Outcome.DUPLICATE, "duplicate", instance=existing)
    return _result(attributes, Outcome.REFUSED, "sop_instance_differs")


def _result(
    attributes: Attributes,
    outcome: Outcome,
    code: str = "",
    parameters: dict[str, str | int] | None = None,
    instance: Instance | None = None,
    patient: Patient | None = None,
) -> Received:
    owner = instance.series.study.patient if instance else patient
    return Received(
        outcome, code, parameters or {}, instance, owner, attributes.sop_class_uid, attributes.sop_instance_uid
    )


def _digest(stream: BinaryIO) -> str:
    stream.seek(0)
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _first_frame_decodes(dicom: DicomObject) -> None:
    frame = next(dicom.iter_frames())
    decode_frame(dicom.header, frame, transfer_syntax=dicom.transfer_syntax, pixel_tag=dicom.pixel_tag)


def _new_instance(dicom: DicomObject, attributes: Attributes, digest: str) -> Instance:
    return Instance(
        sop_instance_uid=attributes.sop_instance_uid,
        sop_class_uid=attributes.sop_class_uid,
        transfer_syntax_uid=str(dicom.transfer_syntax),
        pixel_tag=int(dicom.pixel_tag),
        number=attributes.instance_number,
        rows=attributes.rows,
        columns=attributes.columns,
        frames=dicom.frames,
        photometric=attributes.photometric,
        view_position=attributes.view_position,
        content_digest=digest,
    )


def _write_blobs(instance: Instance, dicom: DicomObject, holder: str) -> None:
    for number, frame in enumerate(dicom.iter_frames(), start=1):
        blobs.write(instance.frame_blob(number), frame, holder=holder)
    blobs.write(instance.header_blob, dicom.header_bytes, holder=holder)


def _delete_blobs(instance: Instance) -> None:
    blobs.delete(instance.header_blob)
    for number in range(1, instance.frames + 1):
        blobs.delete(instance.frame_blob(number))


def _index(instance: Instance, attributes: Attributes, patient: Patient, actor: Actor, urgent: bool) -> None:
    study, _ = Study.objects.get_or_create(
        study_instance_uid=attributes.study_uid,
        defaults={
            "patient": patient,
            "study_date": attributes.study_date,
            "modalities": f",{attributes.modality},",
            "urgency": Urgency.STAT if attributes.stat else Urgency.ROUTINE,
            "headers": {
                "accession_number": attributes.accession_number,
                "study_description": attributes.study_description,
                "referring_physician": attributes.referring_physician,
            },
        },
    )
    series, _ = Series.objects.get_or_create(
        series_instance_uid=attributes.series_uid,
        defaults={
            "study": study,
            "modality": attributes.modality,
            "number": attributes.series_number,
            "body_part": attributes.body_part,
            "headers": {"series_description": attributes.series_description},
        },
    )
    if study.patient_id != patient.pk or series.study_id != study.pk:
        raise Unreadable("study_of_other_patient")
    _add_modality(study, attributes.modality)
    instance.series = series
    instance.save(force_insert=True)
    audit.record(actor, "instance.stored", instance)
    publish(InstanceStored(series.pk, urgent))


def _add_modality(study: Study, modality: str) -> None:
    """Add a modality under a row lock, so that two series arriving at once are both listed."""
    if f",{modality}," in study.modalities:
        return
    locked = Study.objects.select_for_update().get(pk=study.pk)
    names = sorted({*locked.modality_list, modality})
    joined = f",{','.join(names)},"
    if len(joined) <= 64:
        Study.objects.filter(pk=study.pk).update(modalities=joined)

"""Taking in one DICOM file, whatever way it came."""

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
from apps.imaging.quarantine import hold
from apps.jobs.events import publish
from apps.patients.identity import Identity, Verdict, match, register
from apps.patients.models import Patient
from apps.protection import blobs
from apps.protection.models import holder_name


@dataclass(frozen=True)
class Received:
    """What became of a file; ``instance`` is set if it is stored, now or before."""

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
    """Check, seal and index one file; safe to repeat, and to do twice at once.

    Args:
        stream: a seekable file.
        care_teams: who will see the patient if the record is new; default: the actor's teams.
        patient: the record to file it under, if a doctor has decided that.
        urgent: whether a person waits for the analysis.

    Raises:
        PermissionError: if the actor may not upload.
    """
    if not can(actor, "imaging.upload"):
        raise PermissionError("only clinicians upload")
    try:
        dicom = open_object(stream)
        facts = read_attributes(dicom.header)
    except Unreadable as problem:
        return Received(Outcome.REFUSED, problem.code, problem.parameters)
    try:
        return _file(dicom, facts, _digest(stream), stream, actor, care_teams, patient, urgent)
    except Unreadable as problem:
        return _answer(facts, Outcome.REFUSED, problem.code, problem.parameters)


def _file(
    dicom: DicomObject,
    facts: Attributes,
    digest: str,
    stream: BinaryIO,
    actor: Actor,
    care_teams: list[CareTeam] | None,
    patient: Patient | None,
    urgent: bool,
) -> Received:
    stored = _stored(facts)
    if stored is not None:
        return _already(stored, facts, digest)
    if not facts.patient_id:
        raise Unreadable("no_patient_id")
    _first_frame_decodes(dicom)
    instance = _new_instance(dicom, facts, digest)
    try:
        # Blobs are sealed under the patient's key, so the record's id is chosen before the record is made.
        known = patient or _check_reach(facts, actor, care_teams)
        owner = known.pk if known else uuid.uuid4()
        _write_blobs(instance, dicom, holder_name(owner))
        with transaction.atomic():
            filed = patient or _patient(facts, actor, care_teams, owner)
            if filed.pk != owner:
                raise _Overtaken
            _index(instance, facts, filed, actor, urgent)
    except _Overtaken:
        _delete_blobs(instance)
        return _file(dicom, facts, digest, stream, actor, care_teams, patient, urgent)
    except _Conflict as conflict:
        _delete_blobs(instance)
        code = conflict.code
        hold(stream, patient=conflict.patient, facts=facts, reason_code=code, digest=digest, actor=actor)
        return _answer(facts, Outcome.HELD, code, patient=conflict.patient)
    except IntegrityError:
        # The same file at the same moment: the other one won. Ours must leave nothing behind.
        _delete_blobs(instance)
        winner = _stored(facts)
        if winner is None:
            raise
        return _already(winner, facts, digest)
    except BaseException:
        _delete_blobs(instance)
        raise
    return _answer(facts, Outcome.STORED, instance=instance)


class _Overtaken(Exception):
    """Another upload made the patient's record first: the blobs must be sealed under its key."""


class _Conflict(Exception):
    """A doctor has to decide whose the file is."""

    def __init__(self, code: str, patient: Patient) -> None:
        super().__init__(code)
        self.code, self.patient = code, patient


def _stored(facts: Attributes) -> Instance | None:
    found = Instance.objects.select_related("series__study__patient")
    return found.filter(sop_instance_uid=facts.sop_instance_uid).first()


def _identity(facts: Attributes) -> Identity:
    return Identity(facts.patient_id, facts.issuer, facts.patient_name, facts.birth_date, facts.sex, facts.address)


def _check_reach(facts: Attributes, actor: Actor, care_teams: list[CareTeam] | None) -> Patient | None:
    """The matching patient, or None if the record is still to be made.

    Raises:
        _Conflict: if a doctor has to decide.
        Unreadable: ``no_care_team`` if nobody would see a new patient.
    """
    matched = match(_identity(facts), actor=actor)
    conflicts = {Verdict.CONFLICT: "identity_conflict", Verdict.OUT_OF_REACH: "other_care_team"}
    if matched.patient is not None and matched.verdict in conflicts:
        raise _Conflict(conflicts[matched.verdict], matched.patient)
    if matched.patient is None and not _teams(actor, care_teams):
        raise Unreadable("no_care_team")
    return matched.patient


def _patient(facts: Attributes, actor: Actor, care_teams: list[CareTeam] | None, pk: uuid.UUID) -> Patient:
    """The patient to file under, made if need be; looked for again, as another upload may be quicker."""
    found = _check_reach(facts, actor, care_teams)
    if found is not None:
        return found
    register(_identity(facts), care_teams=_teams(actor, care_teams), actor=actor, pk=pk)
    made = _check_reach(facts, actor, care_teams)
    assert made is not None
    return made


def _teams(actor: Actor, care_teams: list[CareTeam] | None) -> list[CareTeam]:
    if care_teams is not None:
        return care_teams
    return [] if isinstance(actor, System) else list(actor.care_teams.all())


def _already(stored: Instance, facts: Attributes, digest: str) -> Received:
    if stored.content_digest == digest:
        return _answer(facts, Outcome.DUPLICATE, "duplicate", instance=stored)
    return _answer(facts, Outcome.REFUSED, "sop_instance_differs")


def _answer(
    facts: Attributes,
    outcome: Outcome,
    code: str = "",
    parameters: dict[str, str | int] | None = None,
    instance: Instance | None = None,
    patient: Patient | None = None,
) -> Received:
    owner = instance.series.study.patient if instance else patient
    return Received(outcome, code, parameters or {}, instance, owner, facts.sop_class_uid, facts.sop_instance_uid)


def _digest(stream: BinaryIO) -> str:
    stream.seek(0)
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _first_frame_decodes(dicom: DicomObject) -> None:
    frame = next(dicom.iter_frames())
    decode_frame(dicom.header, frame, transfer_syntax=dicom.transfer_syntax, pixel_tag=dicom.pixel_tag)


def _new_instance(dicom: DicomObject, facts: Attributes, digest: str) -> Instance:
    return Instance(
        sop_instance_uid=facts.sop_instance_uid,
        sop_class_uid=facts.sop_class_uid,
        transfer_syntax_uid=str(dicom.transfer_syntax),
        pixel_tag=int(dicom.pixel_tag),
        number=facts.instance_number,
        rows=facts.rows,
        columns=facts.columns,
        frames=dicom.frames,
        photometric=facts.photometric,
        view_position=facts.view_position,
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


def _index(instance: Instance, facts: Attributes, patient: Patient, actor: Actor, urgent: bool) -> None:
    study, _ = Study.objects.get_or_create(
        study_instance_uid=facts.study_uid,
        defaults={
            "patient": patient,
            "study_date": facts.study_date,
            "modalities": f",{facts.modality},",
            "urgency": Urgency.STAT if facts.stat else Urgency.ROUTINE,
            "headers": {
                "accession_number": facts.accession_number,
                "study_description": facts.study_description,
                "referring_physician": facts.referring_physician,
            },
        },
    )
    series, _ = Series.objects.get_or_create(
        series_instance_uid=facts.series_uid,
        defaults={
            "study": study,
            "modality": facts.modality,
            "number": facts.series_number,
            "body_part": facts.body_part,
            "headers": {"series_description": facts.series_description},
        },
    )
    if study.patient_id != patient.pk or series.study_id != study.pk:
        raise Unreadable("study_of_other_patient")
    _add_modality(study, facts.modality)
    instance.series = series
    instance.save(force_insert=True)
    audit.record(actor, "instance.stored", instance)
    publish(InstanceStored(series.pk, urgent))


def _add_modality(study: Study, modality: str) -> None:
    """Within the lock of the row, so that two series arriving at once are both listed."""
    if f",{modality}," in study.modalities:
        return
    locked = Study.objects.select_for_update().get(pk=study.pk)
    names = sorted({*locked.modality_list, modality})
    joined = f",{','.join(names)},"
    if len(joined) <= 64:
        Study.objects.filter(pk=study.pk).update(modalities=joined)

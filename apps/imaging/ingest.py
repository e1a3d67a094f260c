"""Ingestion of one DICOM file, from any source."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from django.db import IntegrityError, transaction

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.accounts.models import CareTeam
from apps.imaging.access import can
from apps.imaging.dicom.attributes import Attributes, read_attributes
from apps.imaging.dicom.multipart import Part
from apps.imaging.dicom.parser import DicomObject, Unreadable, open_object, problem_parameters
from apps.imaging.dicom.pixels import decode_frame
from apps.imaging.events import InstanceStored
from apps.imaging.models import Instance, Outcome, Series, Study, Urgency
from apps.imaging.quarantine import quarantine_file
from apps.imaging.queries import layout_of, open_file
from apps.jobs.events import publish
from apps.patients.identity import Identity, Verdict, match, register
from apps.patients.models import Patient
from apps.protection import blobs, containers
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
    study_uid: str = "",
) -> Received:
    """Validate, encrypt and index one file; idempotent and safe to run concurrently.

    Any SOP class is stored, byte for byte, whether or not it can be drawn. A file that cannot be filed without a
    decision is quarantined.

    Args:
        stream: a seekable file.
        care_teams: care teams of a newly created record; default: the actor's teams.
        patient: the record to file it under, if a clinician has decided on that.
        urgent: whether a user is waiting for the analysis.
        study_uid: the study it must belong to, if given.

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
    if study_uid and attributes.study_uid != study_uid:
        return _result(attributes, Outcome.REFUSED, "study_differs")
    incoming = _Incoming(stream, dicom, attributes, _digest(stream), actor, care_teams, patient, urgent)
    try:
        return _file(incoming)
    except Unreadable as problem:
        return _result(attributes, Outcome.REFUSED, problem.code, problem.parameters)


def receive_all(parts: Iterable[Part], *, actor: Actor, study_uid: str = "") -> Iterator[Received]:
    """Ingest the files of one request, each with its own outcome; see :func:`receive`.

    Args:
        study_uid: the study they must belong to, if given.
    """
    for part in parts:
        with part:
            yield receive(part.content, actor=actor, study_uid=study_uid)


@dataclass(frozen=True)
class _Incoming:
    """A parsed file and who sent it; see :func:`receive`."""

    stream: BinaryIO
    dicom: DicomObject
    attributes: Attributes
    digest: str
    actor: Actor
    care_teams: list[CareTeam] | None
    patient: Patient | None
    urgent: bool


def _file(incoming: _Incoming) -> Received:
    attributes = incoming.attributes
    existing = _stored(attributes)
    if existing is not None:
        return _file_again(incoming, existing)
    if not attributes.patient_id and incoming.patient is None:
        return _hold(incoming, "no_patient_id", None)
    instance = _new_instance(incoming)
    try:
        # The container is sealed under the patient's key, so the record's id is chosen before the record is created.
        matched = incoming.patient or _check_reach(incoming)
        owner = matched.pk if matched else uuid.uuid4()
        _check_study(attributes, matched)
        _write(instance, incoming, holder_name(owner))
        with transaction.atomic():
            filed = incoming.patient or _patient(incoming, owner)
            if filed.pk != owner:
                raise _Overtaken
            _index(instance, incoming, filed)
    except _Overtaken:
        blobs.delete(instance.blob)
        return _file(incoming)
    except _Conflict as conflict:
        blobs.delete(instance.blob)
        return _hold(incoming, conflict.code, conflict.patient)
    except IntegrityError:
        # The same file was stored concurrently by another upload: remove our container.
        blobs.delete(instance.blob)
        existing = _stored(attributes)
        if existing is None:
            raise
        return _file_again(incoming, existing)
    except BaseException:
        blobs.delete(instance.blob)
        raise
    problem = incoming.dicom.layout.problem or instance.problem
    return _result(attributes, Outcome.STORED, problem, problem_parameters(incoming.dicom.layout), instance)


def _hold(incoming: _Incoming, code: str, patient: Patient | None) -> Received:
    quarantine_file(
        incoming.stream,
        patient=patient,
        attributes=incoming.attributes,
        reason_code=code,
        digest=incoming.digest,
        actor=incoming.actor,
    )
    return _result(incoming.attributes, Outcome.HELD, code, patient=patient)


def _file_again(incoming: _Incoming, existing: Instance) -> Received:
    """Recognise a file that is stored already; one with the same UID and other content is held."""
    if existing.content_digest == incoming.digest or _same_data_set(incoming, existing):
        return _result(incoming.attributes, Outcome.DUPLICATE, "duplicate", instance=existing)
    return _hold(incoming, "sop_instance_differs", existing.series.study.patient)


def _same_data_set(incoming: _Incoming, existing: Instance) -> bool:
    """Return whether only preamble and meta information differ, which every archive writes anew."""
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


class _Overtaken(Exception):
    """Another upload created the patient's record first: the blobs must be sealed under its key."""


class _Conflict(Exception):
    """A clinician has to decide to which patient the file belongs."""

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


def _check_reach(incoming: _Incoming) -> Patient | None:
    """Return the matching patient, or None if the record has yet to be created.

    Raises:
        _Conflict: if a clinician has to decide.
        Unreadable: ``no_care_team`` if nobody would have access to a new patient.
    """
    matched = match(_identity(incoming.attributes), actor=incoming.actor)
    conflicts = {Verdict.CONFLICT: "identity_conflict", Verdict.OUT_OF_REACH: "other_care_team"}
    if matched.patient is not None and matched.verdict in conflicts:
        raise _Conflict(conflicts[matched.verdict], matched.patient)
    if matched.patient is None and not _teams(incoming.actor, incoming.care_teams):
        raise Unreadable("no_care_team")
    return matched.patient


def _check_study(attributes: Attributes, patient: Patient | None) -> None:
    """Check that the study is not stored under another patient.

    Raises:
        _Conflict: if it is; the care team of the study's patient decides.
    """
    study = Study.objects.select_related("patient").filter(study_instance_uid=attributes.study_uid).first()
    if study is not None and (patient is None or study.patient_id != patient.pk):
        raise _Conflict("study_of_other_patient", study.patient)


def _patient(incoming: _Incoming, pk: uuid.UUID) -> Patient:
    """Return the patient to file under, creating it if needed; re-matched, as another upload may be faster."""
    patient = _check_reach(incoming)
    if patient is not None:
        return patient
    teams = _teams(incoming.actor, incoming.care_teams)
    register(_identity(incoming.attributes), care_teams=teams, actor=incoming.actor, pk=pk)
    registered = _check_reach(incoming)
    assert registered is not None
    return registered


def _teams(actor: Actor, care_teams: list[CareTeam] | None) -> list[CareTeam]:
    if care_teams is not None:
        return care_teams
    return [] if isinstance(actor, System) else list(actor.care_teams.all())


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


def _new_instance(incoming: _Incoming) -> Instance:
    dicom, attributes = incoming.dicom, incoming.attributes
    return Instance(
        sop_instance_uid=attributes.sop_instance_uid,
        sop_class_uid=attributes.sop_class_uid,
        transfer_syntax_uid=dicom.layout.transfer_syntax,
        pixel_tag=dicom.layout.pixel_tag,
        number=attributes.instance_number,
        rows=attributes.rows,
        columns=attributes.columns,
        frames=dicom.frames,
        photometric=attributes.photometric,
        view_position=attributes.view_position,
        problem=_problem(dicom),
        size=incoming.stream.seek(0, 2),
        content_digest=incoming.digest,
    )


def _problem(dicom: DicomObject) -> str:
    """Return why the pixels cannot be shown; empty if they can, or if there are none.

    The first frame of compressed pixels is decoded; of native ones the length was checked.
    """
    if dicom.layout.problem or dicom.layout.native is not None or not dicom.frames:
        return dicom.layout.problem
    try:
        frame = next(dicom.iter_frames())
        decode_frame(dicom.header, frame, transfer_syntax=dicom.transfer_syntax, pixel_tag=dicom.pixel_tag)
    except Unreadable as problem:
        return problem.code
    return ""


def _write(instance: Instance, incoming: _Incoming, holder: str) -> None:
    layout = incoming.dicom.layout
    deflated = incoming.dicom.stream is not incoming.stream  # then the layout counts in the inflated form
    cuts = [] if deflated else layout.cuts()
    containers.write(instance.blob, incoming.stream, holder=holder, index=layout.to_bytes(), cuts=cuts)


def _index(instance: Instance, incoming: _Incoming, patient: Patient) -> None:
    attributes = incoming.attributes
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
    if study.patient_id != patient.pk:
        raise _Overtaken
    series, _ = Series.objects.get_or_create(
        study=study,
        series_instance_uid=attributes.series_uid,
        defaults={
            "modality": attributes.modality,
            "number": attributes.series_number,
            "body_part": attributes.body_part,
            "headers": {"series_description": attributes.series_description},
        },
    )
    _add_modality(study, attributes.modality)
    instance.series = series
    instance.save(force_insert=True)
    audit.record(incoming.actor, "instance.stored", instance)
    publish(InstanceStored(series.pk, incoming.urgent))


def _add_modality(study: Study, modality: str) -> None:
    """Add a modality under a row lock, so that two series arriving at once are both listed."""
    if f",{modality}," in study.modalities:
        return
    locked = Study.objects.select_for_update().get(pk=study.pk)
    names = sorted({*locked.modality_list, modality})
    joined = f",{','.join(names)},"
    if len(joined) <= 64:
        Study.objects.filter(pk=study.pk).update(modalities=joined)

"""Filing received files: their containers, and the rows of patient, study, series and instance."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence

from django.db import transaction

from apps.accounts import audit
from apps.imaging.deletion import revive
from apps.imaging.dicom.attributes import Attributes, time_of_day
from apps.imaging.dicom.parser import Unreadable
from apps.imaging.events import InstanceStored
from apps.imaging.incoming import Incoming
from apps.imaging.models import MAX_MODALITIES, Instance, Series, Study, Urgency
from apps.imaging.study_tokens import write_tokens
from apps.jobs.events import publish
from apps.patients.identity import Identity, Verdict, match, register
from apps.patients.models import Patient
from apps.protection import blobs
from apps.protection.durability import durable_commit
from apps.protection.models import holder_name
from apps.protection.storage import synced_together


class Overtaken(Exception):
    """Another request created the patient's record or the study first: try again."""


class Conflict(Exception):
    """A clinician has to decide to which patient the file belongs."""

    def __init__(self, code: str, patient: Patient) -> None:
        super().__init__(code)
        self.code, self.patient = code, patient


def file_together(group: Sequence[Incoming]) -> list[Instance]:
    """File several files of one sender, all or none, in one transaction.

    The containers are on disk before the rows are committed. They are sealed under the patient's key, so the record's
    id is chosen before the record is created.

    Raises:
        Conflict: if a clinician has to decide about one of them.
        Overtaken, IntegrityError: if another request was faster.
        Unreadable: ``no_care_team`` if nobody would have access to a new patient.
    """
    patients = {identity: _check_reach(identity, incoming) for identity, incoming in _by_identity(group).items()}
    owners = {identity: patient.pk if patient else uuid.uuid4() for identity, patient in patients.items()}
    _check_studies(group, patients)
    instances: list[Instance] = []
    folder = secrets.token_bytes(1)  # their containers share a folder, which is then synced once
    try:
        with synced_together():
            for incoming in group:
                instance = incoming.new_instance()
                instance.pk = uuid.UUID(bytes=folder + uuid.uuid4().bytes[1:])
                instances.append(instance)
                incoming.write(instance.blob, holder_name(owners[incoming.identity]))
        with durable_commit(), transaction.atomic():
            _index(group, instances, owners)
    except BaseException:
        for instance in instances:
            blobs.delete(instance.blob)
        raise
    return instances


def _by_identity(group: Sequence[Incoming]) -> dict[Identity, Incoming]:
    return {incoming.identity: incoming for incoming in group}


def _check_reach(identity: Identity, incoming: Incoming) -> Patient | None:
    """Return the matching patient, or None if the record has yet to be created.

    Raises:
        Conflict: if a clinician has to decide.
        Unreadable: ``no_care_team`` if nobody would have access to a new patient.
    """
    if incoming.sender.patient is not None:
        return incoming.sender.patient
    matched = match(identity, actor=incoming.sender.actor)
    conflicts = {Verdict.CONFLICT: "identity_conflict", Verdict.OUT_OF_REACH: "other_care_team"}
    if matched.patient is not None and matched.verdict in conflicts:
        raise Conflict(conflicts[matched.verdict], matched.patient)
    if matched.patient is None and not incoming.sender.teams():
        raise Unreadable("no_care_team")
    return matched.patient


def _check_studies(group: Sequence[Incoming], patients: dict[Identity, Patient | None]) -> None:
    """Check that no study is stored under another patient.

    Raises:
        Conflict: if one is; the care team of the study's patient decides.
    """
    owners = {incoming.attributes.study_uid: patients[incoming.identity] for incoming in group}
    for study in Study.every.select_related("patient").filter(study_instance_uid__in=owners):
        patient = owners[study.study_instance_uid]
        if patient is None or study.patient_id != patient.pk:
            raise Conflict("study_of_other_patient", study.patient)


def _index(group: Sequence[Incoming], instances: Sequence[Instance], owners: dict[Identity, uuid.UUID]) -> None:
    patients = {
        identity: _patient(identity, incoming, owners[identity]) for identity, incoming in _by_identity(group).items()
    }
    series: dict[tuple[str, str], Series] = {}
    for incoming, instance in zip(group, instances, strict=True):
        key = incoming.attributes.study_uid, incoming.attributes.series_uid
        if key not in series:
            series[key] = _series(incoming.attributes, patients[incoming.identity])
        instance.series = series[key]
    Instance.objects.bulk_create(instances)
    sender = group[0].sender
    audit.record_all(sender.actor, "instance.stored", instances)
    for row in series.values():
        publish(InstanceStored(row.pk, sender.urgent))


def _patient(identity: Identity, incoming: Incoming, pk: uuid.UUID) -> Patient:
    """Return the patient to file under, creating it if needed; re-matched, as another request may be faster."""
    patient = _check_reach(identity, incoming)
    if patient is None:
        register(identity, care_teams=incoming.sender.teams(), actor=incoming.sender.actor, pk=pk)
        patient = _check_reach(identity, incoming)
    if patient is None or patient.pk != pk:
        raise Overtaken
    return patient


def _series(attributes: Attributes, patient: Patient) -> Series:
    study, new_study = Study.every.get_or_create(
        study_instance_uid=attributes.study_uid,
        defaults={
            "patient": patient,
            "study_date": attributes.study_date,
            "study_time": time_of_day(attributes.study_time),
            "modalities": f",{attributes.modality},",
            "urgency": Urgency.STAT if attributes.stat else Urgency.ROUTINE,
            "headers": {
                "accession_number": attributes.accession_number,
                "study_description": attributes.study_description,
                "referring_physician": attributes.referring_physician,
                "study_id": attributes.study_id,
                "study_time": attributes.study_time,
                "timezone": attributes.timezone,
            },
        },
    )
    if study.patient_id != patient.pk:
        raise Overtaken
    study.patient = patient
    series, new_series = Series.every.get_or_create(
        study=study,
        series_instance_uid=attributes.series_uid,
        defaults={
            "modality": attributes.modality,
            "number": attributes.series_number or 0,
            "numbered": attributes.series_number is not None,
            "body_part": attributes.body_part,
            "performed_date": attributes.performed_date,
            "performed_time": time_of_day(attributes.performed_time),
            "headers": {
                "series_description": attributes.series_description,
                "performed_time": attributes.performed_time,
                "requests": attributes.requests,
            },
        },
    )
    if new_study or (new_series and attributes.requests):
        write_tokens(study, attributes.requests)
    if series.deleted_at is not None:
        Series.every.filter(pk=series.pk).update(deleted_at=None)
    if study.deleted_at is not None:
        revive(study)
    _add_modality(study, attributes.modality)
    series.study = study
    return series


def _add_modality(study: Study, modality: str) -> None:
    """Add a modality under a row lock, so that two series arriving at once are both listed."""
    if f",{modality}," in study.modalities:
        return
    locked = Study.objects.select_for_update().get(pk=study.pk)
    names = sorted({*locked.modality_list, modality})
    joined = f",{','.join(names)},"
    if len(joined) <= MAX_MODALITIES:
        Study.objects.filter(pk=study.pk).update(modalities=joined)

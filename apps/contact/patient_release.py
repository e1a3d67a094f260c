"""Release of reports, explanations and recommendations to patients, and withdrawal.

Only a physician who cares for the patient may release something, with an explanation in words, and only while the
patient uses the portal. Further conditions (a signed report, an explanation that is not weak, a recommendation that
no rule forbids) are checked by the releasing app beforehand.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.accounts.models import User
from apps.contact.mail import notify_patient
from apps.contact.models import PatientRelease, ReleaseKind
from apps.jobs.errors import UserError
from apps.patients.access import can, permits, visible_patient_filter
from apps.patients.models import Patient, Purpose
from apps.protection import blobs

MAX_CHARACTERS = 4000


@dataclass(frozen=True)
class Released:
    """Something released to the patient; subclasses add what it is."""

    release: PatientRelease

    @property
    def pk(self) -> uuid.UUID:
        """The release's primary key, used in URLs."""
        return self.release.pk

    @property
    def words(self) -> str:
        """The physician's words for the patient."""
        return self.release.words

    @property
    def released_by(self) -> User:
        """The physician who released it."""
        return self.release.released_by

    @property
    def released_at(self) -> datetime:
        """Time of the release."""
        return self.release.released_at


def release_to_patient(
    patient: Patient,
    kind: ReleaseKind,
    subject_id: uuid.UUID,
    words: str,
    *,
    actor: User,
    notice: str,
    picture: bytes = b"",
    replaces: Iterable[uuid.UUID] = (),
) -> PatientRelease:
    """Release a subject to the patient, replacing any current release of it.

    Args:
        words: explanation in plain words for the patient.
        notice: the message code by which the patient is notified.
        picture: PNG that illustrates the words.
        replaces: other subjects whose releases end with this one, such as earlier versions of a report.

    Raises:
        PermissionError: if the actor is not a physician who cares for the patient.
        UserError: ``release_words`` without words, or ``release_portal`` if the patient does not use the portal.
    """
    if not can(actor, "patients.decide_for_patient", patient):
        raise PermissionError("only physicians who care for the patient release something to them")
    if not words.strip():
        raise UserError("release_words")
    if not permits(patient, Purpose.PORTAL):
        raise UserError("release_portal")
    try:
        with transaction.atomic():
            current = PatientRelease.objects.filter(kind=kind, withdrawn_at=None)
            current.filter(subject_id__in=[subject_id, *replaces]).update(withdrawn_at=timezone.now())
            release = PatientRelease(
                patient=patient, kind=kind, subject_id=subject_id, has_picture=bool(picture), released_by=actor
            )
            release.words = words.strip()[:MAX_CHARACTERS]
            release.save(force_insert=True)
            if picture:
                blobs.write(release.blob, picture, holder=release.key_holder)
            audit.record(actor, "release.shown", release, why="treatment", kind=str(kind), shown=str(subject_id))
            notify_patient(patient, notice)
    except IntegrityError:  # a double click: released by the concurrent request
        return PatientRelease.objects.get(kind=kind, subject_id=subject_id, withdrawn_at=None)
    return release


def withdraw_release(release: PatientRelease, *, actor: User) -> bool:
    """Withdraw a release from the patient; False if it has already been withdrawn.

    Raises:
        PermissionError: if the actor is not a physician who cares for the patient.
    """
    if not can(actor, "patients.decide_for_patient", release.patient):
        raise PermissionError("only physicians who care for the patient withdraw a release")
    return _end(PatientRelease.objects.filter(pk=release.pk), actor) > 0


def end_releases(kind: ReleaseKind, subject_id: uuid.UUID, *, actor: Actor) -> int:
    """End the releases of a subject that is no longer valid, such as a recalled recommendation; return how many."""
    return _end(PatientRelease.objects.filter(kind=kind, subject_id=subject_id), actor)


def visible_releases(actor: Actor | None, kind: ReleaseKind) -> QuerySet[PatientRelease]:
    """Return the current releases visible to the actor: the patient, or clinicians of the patient."""
    rows = PatientRelease.objects.filter(visible_patient_filter(actor, "patient_id"), kind=kind, withdrawn_at=None)
    return rows.select_related("released_by", "patient")


def picture_of(release: PatientRelease) -> bytes:
    """Return the released image, PNG."""
    return blobs.read(release.blob, holder=release.key_holder)


def _end(rows: QuerySet[PatientRelease], actor: Actor) -> int:
    user = None if isinstance(actor, System) else actor
    ended = list(rows.filter(withdrawn_at=None).select_related("patient"))
    for release in ended:
        PatientRelease.objects.filter(pk=release.pk).update(withdrawn_at=timezone.now(), withdrawn_by=user)
        audit.record(actor, "release.withdrawn", release, why="treatment", kind=release.kind)
    return len(ended)

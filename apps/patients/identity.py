"""Matching uploaded studies to patient records, by MRN only."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from enum import Enum

from django.db import IntegrityError, transaction

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import CareTeam
from apps.patients.access import can
from apps.patients.models import Patient, Sex
from apps.patients.names import same_person_name
from apps.patients.queries import with_identity
from apps.patients.search import write_tokens


@dataclass(frozen=True)
class Identity:
    """Patient identity in a DICOM header: (0010,0020), (0010,0021), (0010,0010), (0010,0030) …"""

    mrn: str
    issuer: str = ""
    name: str = ""
    birth_date: date | None = None
    sex: str = ""
    address: str = ""


class Verdict(Enum):
    """Result of matching an identity against the existing records."""

    NEW = "new"
    MATCH = "match"
    CONFLICT = "conflict"
    OUT_OF_REACH = "out_of_reach"


@dataclass(frozen=True)
class Match:
    """The verdict and, unless it is ``NEW``, the record with the same MRN."""

    verdict: Verdict
    patient: Patient | None = None


def match(identity: Identity, *, actor: Actor) -> Match:
    """Find the record with this MRN and check whether it may be the same person.

    A record outside the actor's care teams is out of reach: its own team decides. Only values stated on both sides
    are compared, so a missing name or birth date never conflicts.
    """
    patient = with_identity(identity.mrn, identity.issuer)
    if patient is None:
        return Match(Verdict.NEW)
    if not can(actor, "patients.view_patient", patient):
        return Match(Verdict.OUT_OF_REACH, patient)
    dates_agree = not (identity.birth_date and patient.birth_date) or identity.birth_date == patient.birth_date
    same = dates_agree and same_person_name(identity.name, patient.name)
    return Match(Verdict.MATCH if same else Verdict.CONFLICT, patient)


def register(identity: Identity, *, care_teams: list[CareTeam], actor: Actor, pk: uuid.UUID | None = None) -> Patient:
    """Create a patient record for these care teams, or return the one created concurrently.

    Args:
        pk: id of the new record, if its data key was already needed.

    If two uploads of a new patient arrive at once, the unique index lets only one of them create the record.
    """
    patient = Patient(
        pk=pk or uuid.uuid4(),
        mrn=identity.mrn.strip(),
        mrn_issuer=identity.issuer.strip(),
        name=identity.name,
        birth_date=identity.birth_date,
        address=identity.address,
        sex=identity.sex if identity.sex in Sex.values else Sex.UNKNOWN,
    )
    try:
        with transaction.atomic():
            patient.save(force_insert=True)
            patient.care_teams.set(care_teams)
            write_tokens(patient)
            audit.record(actor, "patient.created", patient)
    except IntegrityError:
        existing = with_identity(identity.mrn, identity.issuer)
        if existing is None:
            raise
        return existing
    return patient

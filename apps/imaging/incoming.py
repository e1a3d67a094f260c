"""A received file before it is filed: parsed, checked, and what became of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import BinaryIO

from apps.accounts.actors import Actor, System
from apps.accounts.models import CareTeam
from apps.imaging.dicom.attributes import Attributes, read_attributes
from apps.imaging.dicom.parser import DicomObject, Unreadable, open_object
from apps.imaging.dicom.pixels import decode_frame
from apps.imaging.models import Instance, Outcome
from apps.patients.identity import Identity
from apps.patients.models import Patient
from apps.protection import containers


@dataclass(frozen=True)
class Received:
    """Result of ingesting a file; ``instance`` is set if it is stored, now or previously.

    Attributes:
        code: reason code; of a stored file, why it cannot be shown, or "duplicate".
    """

    outcome: Outcome
    code: str = ""
    parameters: dict[str, str | int] = field(default_factory=dict)
    instance: Instance | None = None
    patient: Patient | None = None
    sop_class_uid: str = ""
    sop_instance_uid: str = ""


@dataclass(frozen=True)
class Sender:
    """Who sends a file, and how it is to be filed; see :func:`apps.imaging.ingest.receive`."""

    actor: Actor
    care_teams: list[CareTeam] | None = None
    patient: Patient | None = None
    urgent: bool = True
    study_uid: str = ""
    holds: bool = True
    """Whether a file that needs a decision is quarantined; one that is quarantined already is not held twice."""

    def teams(self) -> list[CareTeam]:
        """Return the care teams of a newly created record."""
        if self.care_teams is not None:
            return self.care_teams
        return [] if isinstance(self.actor, System) else list(self.actor.care_teams.all())


@dataclass(frozen=True)
class Incoming:
    """A parsed file; ``digest`` is the SHA-256 of its bytes."""

    stream: BinaryIO
    dicom: DicomObject
    attributes: Attributes
    digest: str
    sender: Sender

    @property
    def identity(self) -> Identity:
        """Whose file it says it is."""
        said = self.attributes
        return Identity(said.patient_id, said.issuer, said.patient_name, said.birth_date, said.sex, said.address)

    def new_instance(self) -> Instance:
        """Build the row of the instance, without its series."""
        dicom, attributes = self.dicom, self.attributes
        return Instance(
            sop_instance_uid=attributes.sop_instance_uid,
            sop_class_uid=attributes.sop_class_uid,
            transfer_syntax_uid=dicom.layout.transfer_syntax,
            pixel_tag=dicom.layout.pixel_tag,
            number=attributes.instance_number or 0,
            numbered=attributes.instance_number is not None,
            rows=attributes.rows,
            columns=attributes.columns,
            frames=dicom.frames,
            bits_allocated=attributes.bits_allocated,
            number_of_frames=attributes.number_of_frames,
            photometric=attributes.photometric,
            view_position=attributes.view_position,
            problem=display_problem(dicom),
            size=self.stream.seek(0, 2),
            content_digest=self.digest,
        )

    def write(self, name: str, holder: str) -> None:
        """Seal the file as a container, with where its parts lie."""
        layout = self.dicom.layout
        deflated = self.dicom.stream is not self.stream  # then the layout counts in the inflated form
        cuts = [] if deflated else layout.cuts()
        containers.write(name, self.stream, holder=holder, index=layout.to_bytes(), cuts=cuts)

    def result(
        self,
        outcome: Outcome,
        code: str = "",
        parameters: dict[str, str | int] | None = None,
        instance: Instance | None = None,
        patient: Patient | None = None,
    ) -> Received:
        """Build the result of ingesting this file."""
        owner = instance.series.study.patient if instance else patient
        said = self.attributes
        return Received(outcome, code, parameters or {}, instance, owner, said.sop_class_uid, said.sop_instance_uid)


def parse(stream: BinaryIO, sender: Sender) -> Incoming:
    """Parse a file.

    Raises:
        Unreadable: see :func:`~apps.imaging.dicom.parser.open_object`, and ``missing_uid``.
    """
    dicom = open_object(stream)
    attributes = read_attributes(dicom.header)
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    return Incoming(stream, dicom, attributes, digest, sender)


def display_problem(dicom: DicomObject) -> str:
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

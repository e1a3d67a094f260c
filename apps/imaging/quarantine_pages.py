"""What the pages on quarantined files show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.imaging.access import can
from apps.imaging.messages import HELD_REASONS, MESSAGES
from apps.imaging.models import Instance, QuarantinedFile
from apps.imaging.quarantine import decidable, held_together
from apps.imaging.quarantine_review import Held, Stored, compare_with, patient_of_study, review
from apps.imaging.sop_classes import kind_of
from apps.patients.access import can as can_patient
from apps.patients.access import visible_to
from apps.patients.models import Patient, Sex
from apps.patients.names import display
from apps.patients.queries import fits, found_by, with_identity

_ALREADY_STORED = frozenset({"sop_instance_differs", "stored_for_other_patient"})
"""Reasons for which a file cannot be filed while the stored object is there."""
MAX_GROUPS = 200
MAX_LISTED = 20_000
MAX_CANDIDATES = 20


@dataclass(frozen=True)
class Group:
    """Files of the list that can be decided on together, the oldest of them for all."""

    first: QuarantinedFile
    files: int

    @property
    def reason(self) -> str:
        """Short reason."""
        return reason_name(self.first)

    @property
    def claimed_name(self) -> str:
        """Name in the files."""
        return display(self.first.claimed_name)

    @property
    def headers(self) -> dict[str, Any]:
        """What the first file says."""
        return self.first.headers or {}


@dataclass(frozen=True)
class Row:
    """One line of a comparison of identities."""

    label: str
    values: list[str]

    @property
    def differs(self) -> bool:
        """Whether two values that are both stated differ."""
        stated = [value for value in self.values if value]
        return len(stated) > 1 and len(set(stated)) > 1


@dataclass
class Page:
    """One quarantined file and what may be done with it.

    Attributes:
        held: what the file says; None if it cannot be read.
        record: the record that it conflicts with, or under which its study is stored; None if hidden or if none.
        hidden: that there is such a record, of another care team.
        content: whether the user may see content: the picture, the elements, the file.
        accept: whether it can be filed under the record anyway.
        assign: whether it can be filed under a record that the user chooses or creates.
        discard: whether the user may discard it.
    """

    quarantined: QuarantinedFile
    held: Held | None
    kind: str
    reason: str
    explanation: str
    together: int
    content: bool
    record: Patient | None = None
    hidden: bool = False
    accept: bool = False
    assign: bool = False
    discard: bool = False
    identity: list[Row] = field(default_factory=list)
    stored: Stored | None = None

    @property
    def drawable(self) -> bool:
        """Whether there is a picture that the user may see."""
        return self.content and self.held is not None and self.held.frames > 0 and not self.held.problem


def groups_of(actor: User) -> tuple[list[Group], bool]:
    """Return the groups of undecided files, the newest first, and whether these are all."""
    columns = ("pk", "uploaded_by_id", "reason_code", "patient_id", "group_index")
    rows = list(decidable(actor).order_by("-created_at", "-pk").values_list(*columns)[: MAX_LISTED + 1])
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for pk, *key in rows[:MAX_LISTED]:
        groups.setdefault(tuple(key), []).append(pk)
    listed = list(groups.values())[:MAX_GROUPS]
    firsts = QuarantinedFile.objects.select_related("patient", "uploaded_by").in_bulk([keys[-1] for keys in listed])
    whole = len(rows) <= MAX_LISTED and len(groups) <= MAX_GROUPS
    return [Group(firsts[keys[-1]], len(keys)) for keys in listed if keys[-1] in firsts], whole


def page_of(quarantined: QuarantinedFile, actor: User) -> Page:
    """Collect what the page on one undecided file shows to this user."""
    content = can(actor, "imaging.decide_heldfile", quarantined)
    held = review(quarantined)
    said = quarantined.headers or {}
    page = Page(
        quarantined,
        held,
        kind_of(held.attributes.sop_class_uid if held else said.get("sop_class_uid", "")),
        reason_name(quarantined),
        str(MESSAGES.get(quarantined.reason_code, "")),
        held_together(quarantined).count(),
        content,
        discard=content,
    )
    page.record, page.hidden = _record_against(quarantined, held, actor)
    twice = quarantined.reason_code in _ALREADY_STORED
    if twice and held:
        page.stored, hidden = _stored(quarantined, held, actor)
        twice, page.hidden = page.stored is not None or hidden, page.hidden or hidden
        page.stored = page.stored if content else None
    own = quarantined.patient is not None and page.record == quarantined.patient
    page.accept = content and not twice and own
    page.assign = not twice and not (own and quarantined.reason_code == "study_of_other_patient")
    page.identity = identities(quarantined, held, [page.record] if page.record else [])
    return page


def reason_name(quarantined: QuarantinedFile) -> str:
    """Return the short name of the reason."""
    return str(HELD_REASONS.get(quarantined.reason_code, quarantined.reason_code))


def identities(quarantined: QuarantinedFile, held: Held | None, records: Sequence[Patient]) -> list[Row]:
    """Compare what the file says of its patient with records: the file first."""
    said = quarantined.headers or {}
    mrn = held.attributes.patient_id if held else said.get("patient_id", "")
    issuer = held.attributes.issuer if held else said.get("issuer", "")
    sex = held.attributes.sex if held else said.get("sex", "")
    rows = [
        Row(_("MRN"), [mrn, *(record.mrn for record in records)]),
        Row(_("Name"), [display(quarantined.claimed_name), *(record.display_name for record in records)]),
        Row(
            _("Date of birth"),
            [_day(quarantined.claimed_birth_date), *(_day(record.birth_date) for record in records)],
        ),
        Row(_("Sex"), [_sex(sex), *(_sex(record.sex) for record in records)]),
    ]
    if issuer or any(record.mrn_issuer for record in records):
        rows.insert(1, Row(_("Issuer of the MRN"), [issuer, *(record.mrn_issuer for record in records)]))
    return rows


def candidates(text: str, actor: User) -> list[Patient]:
    """Find records to which a file may be assigned: a clinician's by MRN or name, an administrator's by exact MRN."""
    if actor.role == "admin":
        patient = with_identity(text, "")
        found = [row for row in found_by(text)[: MAX_CANDIDATES * 4] if row.mrn == text.strip()]
        return [patient] if patient is not None and not found else found[:MAX_CANDIDATES]
    rows = visible_to(actor).filter(pk__in=found_by(text).values("pk"))
    return [row for row in rows[: MAX_CANDIDATES * 4] if fits(row, text)][:MAX_CANDIDATES]


def assignable(actor: User, pk: Any) -> Patient | None:
    """Return a record to which this user may assign files; None if it is not one."""
    rows = Patient.objects.all() if actor.role == "admin" else visible_to(actor)
    return rows.filter(pk=pk).first()


def study_day(quarantined: QuarantinedFile, held: Held | None) -> date | None:
    """Return the study date that the file states."""
    if held is not None:
        return held.attributes.study_date
    return parse_date((quarantined.headers or {}).get("study_date", ""))


def _record_against(quarantined: QuarantinedFile, held: Held | None, actor: User) -> tuple[Patient | None, bool]:
    """Return the record that speaks against filing, if the user may see it, and whether there is a hidden one."""
    record = quarantined.patient
    if held is not None and quarantined.reason_code == "study_of_other_patient":
        record = patient_of_study(held.attributes.study_uid) or record
    if record is None:
        return None, False
    return (record, False) if can_patient(actor, "patients.view_patient", record) else (None, True)


def _stored(quarantined: QuarantinedFile, held: Held, actor: User) -> tuple[Stored | None, bool]:
    """Compare with the stored object of the same identifier; return whether there is one that the user may not see."""
    rows = Instance.every.select_related("series__study__patient")  # one that was deleted can still be restored
    instance = rows.filter(sop_instance_uid=held.attributes.sop_instance_uid).first()
    if instance is None:
        return None, False
    if not can(actor, "imaging.view_study", instance.series.study):
        return None, True
    return compare_with(instance, quarantined), False


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _sex(sex: str) -> str:
    return str(Sex(sex).label) if sex in Sex.values and sex else ""

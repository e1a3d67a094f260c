"""Opening, changing, closing and merging cases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.accounts.models import CareTeam, User
from apps.accounts.notifications import notify
from apps.imaging.access import visible_to as visible_studies
from apps.imaging.models import Study
from apps.jobs.errors import UserError
from apps.jobs.events import publish
from apps.notes.models import Summary
from apps.patients.access import can as can_patient
from apps.patients.models import Patient
from apps.predictions.models import Alarm
from apps.records.access import colleagues, require
from apps.records.conflicts import EditConflict
from apps.records.event_log import log_event
from apps.records.events import ObservationsChanged
from apps.records.models import Case, CaseStatus, Event, EventKind, Observation, Priority

CHANGEABLE = ("title", "priority", "assignee", "care_team", "started_at")


def open_case(
    patient: Patient, *, title: str, actor: Actor, study: Study | None = None, priority: int = Priority.ROUTINE,
    started_at: datetime | None = None, care_team: CareTeam | None = None,
) -> Case:  # fmt: skip
    """Open a case for a patient, optionally with a first study.

    Raises:
        PermissionError: if the actor does not care for the patient.
    """
    if not can_patient(actor, "patients.care_for_patient", patient):
        raise PermissionError("only the patient's clinicians may open cases")
    person = None if isinstance(actor, System) else actor
    with transaction.atomic():
        case = Case(
            patient=patient,
            priority=priority,
            assignee=person,
            created_by=person,
            care_team=care_team or patient.care_teams.first(),
            started_at=started_at or timezone.now(),
        )
        case.title = title.strip()[:200]
        case.save(force_insert=True)
        log_event(case, EventKind.CASE, "case.opened", actor=person, at=case.started_at)
        audit.record(actor, "case.opened", case, why="treatment")
        if study is not None:
            add_study(case, study, actor=actor)
    return case


def add_study(case: Case, study: Study, *, actor: Actor) -> None:
    """Add a study of the same patient to the case; adding it twice changes nothing.

    Raises:
        PermissionError: if the actor does not see the case or the study.
    """
    require(actor, "records.view_case", case)
    if study.patient_id != case.patient_id or not visible_studies(actor).filter(pk=study.pk).exists():
        raise PermissionError("a case only takes visible studies of the same patient")
    case.studies.add(study)
    what = f"{', '.join(study.modality_list)} {study.study_date or ''}".strip()
    log_event(
        case, EventKind.STUDY, f"study.{study.modality_list[0] if study.modality_list else 'OT'}", at=study.received_at,
        subject=f"study:{study.pk}", what=what,
    )  # fmt: skip


def change(case: Case, *, revision: int, actor: User, **fields: Any) -> Case:
    """Change fields in CHANGEABLE if nobody else has changed the case since ``revision``.

    Raises:
        PermissionError: if the actor does not care for the patient.
        EditConflict: with the current case.
        UserError: ``case_closed``.
    """
    require(actor, "records.view_case", case)
    if unknown := fields.keys() - set(CHANGEABLE):
        raise TypeError(f"not changeable: {unknown}")
    with transaction.atomic():
        now = Case.objects.select_for_update().get(pk=case.pk)
        if not now.is_open:
            raise UserError("case_closed")
        if now.revision != revision:
            raise EditConflict("case_changed", now)
        before = now.assignee_id
        if fields.get("assignee") and not colleagues(now).filter(pk=fields["assignee"].pk).exists():
            raise PermissionError("the assignee of a case must see it")
        for name, value in fields.items():
            setattr(now, name, value)
        now.revision += 1
        now.touched_at = timezone.now()
        now.save()
        audit.record(actor, "case.changed", now, why="treatment", fields=sorted(fields))
        if now.assignee and now.assignee_id != before:
            log_event(now, EventKind.DECISION, "case.assigned", actor=actor, who=str(now.assignee))
            if now.assignee != actor:
                notify([now.assignee], "case_assigned", who=str(actor), case=now.number)
    return now


def close(case: Case, *, actor: User) -> bool:
    """Close a case and end its alarms; return False if it is not open (a double click).

    Raises:
        PermissionError: if the actor is no physician of the patient.
    """
    return _set_status(case, CaseStatus.OPEN, CaseStatus.CLOSED, "case.closed", actor)


def reopen(case: Case, *, actor: User) -> bool:
    """Reopen a closed case; return False if it is not closed.

    Raises:
        PermissionError: if the actor is no physician of the patient.
    """
    return _set_status(case, CaseStatus.CLOSED, CaseStatus.OPEN, "case.reopened", actor)


def merge(source: Case, target: Case, *, actor: User) -> None:
    """Merge ``source`` into ``target``: move its related rows; ``source`` stays as a pointer to ``target``.

    A value of a time at which the target has another one moves too and keeps the number of its case: both stay. Other
    rows that would violate a unique constraint stay with ``source``: nothing is overwritten.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        UserError: ``case_merge_other``.
    """
    for case in (source, target):
        require(actor, "records.decide_case", case)
    with transaction.atomic():
        pair = {case.pk: case for case in Case.objects.select_for_update().filter(pk__in=[source.pk, target.pk])}
        if len(pair) != 2 or source.patient_id != target.patient_id or not all(case.is_open for case in pair.values()):
            raise UserError("case_merge_other")
        for relation in Case._meta.related_objects:
            if relation.one_to_many and relation.related_model not in (Case, Event, Alarm, Summary):
                rows = relation.related_model._default_manager.filter(**{relation.field.name: source})
                _move(rows, relation.field.name, target)
        Observation.objects.filter(case=source, voided_at=None, origin="").update(case=target, origin=source.number)
        Alarm.objects.filter(case=source, ended_at=None).update(ended_at=timezone.now(), ended_by=actor)
        Event.objects.filter(case=source).exclude(token="case.opened").update(case=target)  # noqa: S106  # a code
        target.studies.add(*source.studies.all())
        Case.objects.filter(pk=source.pk).update(
            status=CaseStatus.MERGED, merged_into=target, closed_at=timezone.now(), revision=F("revision") + 1
        )
        log_event(pair[target.pk], EventKind.CASE, "case.merged", actor=actor, subject=f"case:{source.pk}")
        audit.record(actor, "case.merged", target, why="treatment", source=str(source.pk))
        publish(ObservationsChanged(target.pk))


def _move(rows: QuerySet[Any], field: str, target: Case) -> None:
    """Move rows one by one; rows that would violate a unique constraint stay."""
    for row in rows:
        clash = False
        for constraint in row._meta.constraints:
            names = getattr(constraint, "fields", ())
            if field in names:
                others = {name: getattr(row, name) for name in names if name != field}
                clash |= type(row)._default_manager.filter(**others, **{field: target}).exists()
        if not clash:
            type(row)._default_manager.filter(pk=row.pk).update(**{field: target})


def _set_status(case: Case, old: CaseStatus, new: CaseStatus, code: str, actor: User) -> bool:
    require(actor, "records.decide_case", case)
    closing = new == CaseStatus.CLOSED
    with transaction.atomic():
        done = Case.objects.filter(pk=case.pk, status=old).update(
            status=new,
            closed_at=timezone.now() if closing else None,
            revision=F("revision") + 1,
            touched_at=timezone.now(),
        )
        if not done:
            return False
        case.refresh_from_db()
        if closing:
            Alarm.objects.filter(case=case, ended_at=None).update(ended_at=timezone.now(), ended_by=actor)
        log_event(case, EventKind.CASE, code, actor=actor)
        audit.record(actor, code, case, why="treatment")
    return True

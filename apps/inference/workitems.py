"""Services of the Unified Procedure Step worklist (PS3.18 chapter 11, PS3.4 annex CC).

A workitem is a task on one series. If its code is that of an installed model, an analysis is queued and the workitem
shows its state. Any other code is for software outside, which claims the workitem with a Transaction UID and completes
it. Analyses that were queued otherwise are seen as workitems too.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from apps.accounts import audit
from apps.accounts.models import User
from apps.imaging.access import visible_to as visible_studies
from apps.imaging.dicom.json_model import JsonObject
from apps.imaging.models import Series
from apps.inference.access import visible_to
from apps.inference.models import Analysis, PackageVersion, Workitem, WorkitemState
from apps.inference.packages.card import IMAGES
from apps.inference.routing import request_analysis
from apps.inference.workitem_model import SCHEME, BadWorkitem, Request, is_uid, lacks_for_completion
from apps.jobs.models import State
from apps.patients.access import permits, permitted_filter
from apps.patients.models import Purpose

STATES = {
    State.QUEUED: WorkitemState.SCHEDULED,
    State.RUNNING: WorkitemState.IN_PROGRESS,
    State.SUCCEEDED: WorkitemState.COMPLETED,
    State.REFUSED: WorkitemState.CANCELED,
    State.FAILED: WorkitemState.CANCELED,
}
FINAL = (WorkitemState.COMPLETED, WorkitemState.CANCELED)


class WorkitemConflict(Exception):
    """The workitem's current state does not allow the request; the text says why."""


@dataclass(frozen=True)
class Task:
    """A workitem as clients see it."""

    uid: str
    series: Series
    workitem: Workitem | None
    analysis: Analysis | None

    @property
    def state(self) -> WorkitemState:
        """Procedure Step State."""
        if self.analysis is not None:
            return STATES[State(self.analysis.state)]
        assert self.workitem is not None
        return WorkitemState(self.workitem.state)


def uid_of(analysis: Analysis) -> str:
    """Return the UID of an analysis, derived from its UUID (PS3.5 section B.2)."""
    return f"2.25.{analysis.pk.int}"


def visible_workitems(actor: User) -> QuerySet[Workitem]:
    """Return the workitems on studies that the user may see, of patients who consent to AI."""
    consented = permitted_filter(Purpose.AI, "series__study__patient__")
    rows = Workitem.objects.filter(consented, series__study__in=visible_studies(actor))
    return rows.select_related("series__study__patient", "analysis__package")


def visible_analyses(actor: User) -> QuerySet[Analysis]:
    """Return the analyses that have no workitem of their own."""
    rows = visible_to(actor).filter(workitems=None)
    return rows.select_related("series__study__patient", "package").order_by("-queued_at", "-id")


def in_state(rows: QuerySet[Workitem], state: str) -> QuerySet[Workitem]:
    """Narrow workitems to those in a state."""
    own = [job for job, shown in STATES.items() if shown == state]
    return rows.filter(Q(analysis=None, state=state) | Q(analysis__state__in=own))


def analyses_in_state(rows: QuerySet[Analysis], state: str) -> QuerySet[Analysis]:
    """Narrow analyses to those in a state."""
    return rows.filter(state__in=[job for job, shown in STATES.items() if shown == state])


def task_of(row: Workitem | Analysis) -> Task:
    """Return the task of a row."""
    if isinstance(row, Workitem):
        return Task(row.uid, row.series, row, row.analysis)
    return Task(uid_of(row), row.series, None, row)


def find_task(uid: str, *, actor: User) -> Task | None:
    """Return a task that the user may see."""
    workitem = visible_workitems(actor).filter(uid=uid).first()
    if workitem is not None:
        return task_of(workitem)
    number = uid.removeprefix("2.25.")
    if not uid.startswith("2.25.") or not is_uid(uid) or int(number) >= 2**128:
        return None
    analysis = visible_analyses(actor).filter(pk=uuid.UUID(int=int(number))).first()
    return task_of(analysis) if analysis else None


def create_workitem(request: Request, *, actor: User) -> Workitem:
    """Create a workitem; for a model of this site, queue its analysis.

    Raises:
        BadWorkitem: if the series is not stored, or not visible to the user, or there is no such model.
        WorkitemConflict: if the UID is in use, or the patient does not consent to AI.
    """
    series = (
        Series.objects.filter(study__in=visible_studies(actor), study__study_instance_uid=request.study_uid)
        .filter(series_instance_uid=request.series_uid)
        .select_related("study__patient")
        .first()
    )
    if series is None:
        raise BadWorkitem("the series of Input Information Sequence (0040,4021) is not stored here")
    if not permits(series.study.patient, Purpose.AI):
        raise WorkitemConflict("the patient does not consent to AI")
    try:
        with transaction.atomic():
            workitem = Workitem.objects.create(
                uid=request.uid,
                series=series,
                analysis=_analysis(series, request.code),
                attributes=request.attributes,
                created_by=actor,
            )
            audit.record(actor, "workitem.created", workitem)
    except IntegrityError as error:
        raise WorkitemConflict("a workitem with this UID exists already") from error
    return workitem


def _analysis(series: Series, code: tuple[str, str]) -> Analysis | None:
    name, scheme = code
    if scheme != SCHEME:
        return None
    package = (
        PackageVersion.objects.filter(active=True, name=name, card__task__in=IMAGES).order_by("-installed_at").first()
    )
    if package is None:
        raise BadWorkitem(
            "no model of images with the code of Scheduled Workitem Code Sequence (0040,4018) is installed"
        )
    return request_analysis(series, package, urgent=True)


def change_state(task: Task, state: str, transaction_uid: str, *, actor: User) -> bool:
    """Change a workitem's state as its performer (PS3.4 table CC.1.1-2); return False if it had that final state.

    Raises:
        BadWorkitem: if there is no such state, or the Transaction UID is missing or not the performer's.
        WorkitemConflict: if the transition is not allowed.
    """
    if state not in WorkitemState.values or state == WorkitemState.SCHEDULED:
        raise BadWorkitem("Procedure Step State (0074,1000) must be IN PROGRESS, COMPLETED or CANCELED")
    if not is_uid(transaction_uid):
        raise BadWorkitem("the Transaction UID (0008,1195) is missing")
    workitem = _external(task)
    if state == WorkitemState.IN_PROGRESS:
        _claim(workitem, transaction_uid, actor)
        return True
    if workitem.state == state:
        return False
    _require_performer(workitem, transaction_uid)
    if state == WorkitemState.COMPLETED and (lacks := lacks_for_completion(workitem.attributes)):
        raise WorkitemConflict(f"before it is completed the workitem must have {', '.join(lacks)}")
    _move(workitem, WorkitemState.IN_PROGRESS, actor, state=state)
    return True


def _claim(workitem: Workitem, transaction_uid: str, actor: User) -> None:
    if workitem.state in FINAL:
        raise WorkitemConflict(f"the workitem is {workitem.state} and may no longer be updated")
    _move(workitem, WorkitemState.SCHEDULED, actor, state=WorkitemState.IN_PROGRESS, transaction_uid=transaction_uid)


def _move(workitem: Workitem, before: WorkitemState, actor: User, **changes: str) -> None:
    """Change the state if it is still what it was: of two simultaneous claims of a workitem, one is refused."""
    with transaction.atomic():
        if not Workitem.objects.filter(pk=workitem.pk, state=before).update(**changes):
            raise WorkitemConflict("the workitem is already IN PROGRESS, or another request was faster")
        audit.record(actor, "workitem.state_changed", workitem, state=changes["state"])


def update_workitem(task: Task, changes: JsonObject, transaction_uid: str, *, actor: User) -> None:
    """Set attributes; those that are not named keep their values.

    Raises:
        BadWorkitem: if the workitem is in progress and the Transaction UID is missing or not the performer's.
        WorkitemConflict: if it is in a final state.
    """
    workitem = _external(task)
    if workitem.state in FINAL:
        raise WorkitemConflict(f"the workitem is {workitem.state} and may no longer be updated")
    if workitem.state == WorkitemState.IN_PROGRESS:
        _require_performer(workitem, transaction_uid)
    with transaction.atomic():
        locked = Workitem.objects.select_for_update().filter(pk=workitem.pk, state=workitem.state).first()
        if locked is None:
            raise WorkitemConflict("another request changed the state meanwhile")
        locked.attributes = {**locked.attributes, **changes}
        locked.save(update_fields=["attributes"])
        audit.record(actor, "workitem.updated", locked)


def request_cancellation(task: Task, *, actor: User) -> bool:
    """Cancel a workitem that nobody performs yet; return False if it was canceled before.

    Raises:
        WorkitemConflict: if it is completed, or in progress: who performs it cannot be reached from here.
    """
    if task.state == WorkitemState.CANCELED:
        return False
    workitem = _external(task)
    if workitem.state != WorkitemState.SCHEDULED:
        raise WorkitemConflict(f"the workitem is {workitem.state}; who performs it cannot be reached from here")
    _move(workitem, WorkitemState.SCHEDULED, actor, state=WorkitemState.CANCELED)
    return True


def _external(task: Task) -> Workitem:
    if task.workitem is None or task.analysis is not None:
        raise WorkitemConflict("the workitem is performed by this site's own models")
    return task.workitem


def _require_performer(workitem: Workitem, transaction_uid: str) -> None:
    if workitem.state in FINAL:
        raise WorkitemConflict(f"the workitem is {workitem.state} and may no longer be updated")
    if workitem.state != WorkitemState.IN_PROGRESS:
        raise WorkitemConflict("the workitem is not IN PROGRESS yet")
    if not transaction_uid:
        raise BadWorkitem("the Transaction UID (0008,1195) is missing")
    if transaction_uid != workitem.transaction_uid:
        raise BadWorkitem("the Transaction UID (0008,1195) is incorrect")

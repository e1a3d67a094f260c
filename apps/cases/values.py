"""Taking values in: one by one, or a file that was looked at before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.accounts.models import User
from apps.cases import timeline
from apps.cases.access import require
from apps.cases.alarms import evaluate
from apps.cases.foretelling import ask_anew
from apps.cases.measures.catalogue import Measure, catalogue
from apps.cases.measures.files import EARLIEST, Row, Unusable, checked, read_file
from apps.cases.models import Case, EventKind, Import, ImportRow, Observation
from apps.jobs.errors import ReadableError

FRESH_IMPORTS = 5
"""Imports of a person that wait to be taken; older ones are removed."""


def add(
    case: Case, code: str, value: str, unit: str, at: datetime, *, actor: Actor, source: str = "entry"
) -> Observation:
    """Add one value.

    Raises:
        PermissionError: if the actor does not care for the patient.
        ReadableError: saying what is wrong with it.
    """
    require(actor, "cases.view_case", case)
    measure = catalogue().get(code)
    if measure is None:
        raise ReadableError("value_code", given=code[:40])
    if not EARLIEST < at <= timezone.now():
        code = "value_future" if at > EARLIEST else "value_time"
        raise ReadableError(code, value=at.isoformat(" ", "minutes"))
    try:
        number = checked(measure, value, unit)
    except Unusable as problem:
        raise ReadableError(problem.code, **problem.parameters) from None
    with transaction.atomic():
        if not Case.objects.select_for_update().get(pk=case.pk).is_open:
            raise ReadableError("case_closed")
        known = _known(case, {(code, at)})
        if (code, at) in known:
            raise _clash(known[code, at], number, measure)
        row = _row(case, measure, at, number, actor, source, {"as_entered": value, "unit_as_entered": unit})
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            raise ReadableError("value_twice") from None
        timeline.store([_event(row, measure)])
        audit.record(actor, "value.added", row, why="treatment", code=code)
        _touch(case)
        evaluate(case)
        ask_anew(case)
        timeline.ring(case)
    return row


def void(observation: Observation, *, actor: Actor) -> bool:
    """Mark a value as entered in error; it stays, but nothing reckons with it. False if it is so already.

    Raises:
        PermissionError: if the actor does not care for the patient.
    """
    require(actor, "cases.view_case", observation.case)
    with transaction.atomic():
        done = Observation.objects.filter(pk=observation.pk, voided_at=None).update(voided_at=timezone.now())
        if done:
            observation.case.events.filter(subject=f"value:{observation.pk}").delete()
            audit.record(actor, "value.voided", observation, why="treatment", code=observation.code)
            ask_anew(observation.case)
            timeline.ring(observation.case)
    return bool(done)


def prepare(case: Case, content: bytes, *, actor: User) -> Import:
    """Read a file and keep its rows to be looked at; nothing is taken over yet.

    Raises:
        PermissionError: if the actor does not care for the patient.
        ReadableError: if the file as a whole cannot be read.
    """
    require(actor, "cases.view_case", case)
    try:
        source, rows = read_file(content, now=timezone.now(), zone=timezone.get_current_timezone())
    except Unusable as problem:
        raise ReadableError(problem.code, **problem.parameters) from None
    with transaction.atomic():
        parcel = Import.objects.create(case=case, user=actor, source=source)
        known = _known(case, {(row.measure.code, row.at) for row in rows if row.measure and row.at})
        seen: dict[tuple[str, datetime], float] = {}
        ImportRow.objects.bulk_create((_import_row(parcel, row, known, seen) for row in rows), batch_size=500)
        audit.record(actor, "values.prepared", parcel, why="treatment", rows=len(rows))
        old = (
            Import.objects.filter(user=actor, taken_at=None)
            .order_by("-at")
            .values_list("pk", flat=True)[FRESH_IMPORTS:]
        )
        Import.objects.filter(pk__in=list(old)).delete()
    return parcel


def take(parcel: Import, *, actor: User) -> int:
    """Take over the rows that can be taken; how many. A second click takes nothing.

    Raises:
        PermissionError: if the actor does not care for the patient or did not bring the file.
        ReadableError: ``case_closed``.
    """
    require(actor, "cases.view_case", parcel.case)
    if parcel.user_id != actor.pk:
        raise PermissionError("who brought the file takes it over")
    with transaction.atomic():
        if not Case.objects.select_for_update().get(pk=parcel.case_id).is_open:
            raise ReadableError("case_closed")
        if not Import.objects.filter(pk=parcel.pk, taken_at=None).update(taken_at=timezone.now()):
            return 0
        made = []
        for row in parcel.rows.filter(reason_code="").select_related("parcel__case"):
            content = row.content
            measure = catalogue()[content["code"]]
            at = datetime.fromisoformat(content["at"])
            made.append(
                _row(
                    parcel.case, measure, at, content["value"], actor, parcel.source, {"as_written": content["written"]}
                )
            )
        known = _known(parcel.case, {(row.code, row.at) for row in made})
        made = [row for row in made if (row.code, row.at) not in known]
        store(parcel.case, made)
        audit.record(actor, "values.imported", parcel, why="treatment", rows=len(made))
        evaluate(parcel.case)
        ask_anew(parcel.case)
        timeline.ring(parcel.case)
    return len(made)


def store(case: Case, rows: list[Observation]) -> None:
    """Store many values with their points on the timeline."""
    Observation.objects.bulk_create(rows, batch_size=500)
    timeline.store(_event(row, catalogue()[row.code]) for row in rows)
    _touch(case)


def made(case: Case, code: str, at: datetime, value: float, *, source: str) -> Observation:
    """A value of the software itself, for many at once (:func:`store`)."""
    return _row(case, catalogue()[code], at, value, System("values are made"), source, {})


@dataclass(frozen=True)
class Trend:
    """All values of one kind in a case, oldest first."""

    measure: Measure
    rows: list[Observation]

    @property
    def last(self) -> Observation:
        """The newest."""
        return self.rows[-1]

    @property
    def points(self) -> list[tuple[str, float]]:
        """ISO times and values."""
        return [(row.at.isoformat(), row.content["value"]) for row in self.rows]


def trends(case: Case) -> list[Trend]:
    """The case's values by kind, in the catalogue's order."""
    by_code: dict[str, list[Observation]] = {}
    for row in Observation.objects.filter(case=case, voided_at=None).select_related("case").order_by("at"):
        by_code.setdefault(row.code, []).append(row)
    return [Trend(measure, by_code[code]) for code, measure in catalogue().items() if code in by_code]


def _known(case: Case, wanted: set[tuple[str, datetime]]) -> dict[tuple[str, datetime], float]:
    codes = {code for code, _at in wanted}
    rows = Observation.objects.filter(case=case, code__in=codes, voided_at=None).select_related("case")
    return {(row.code, row.at): row.content["value"] for row in rows if (row.code, row.at) in wanted}


def _clash(known: float, value: float, measure: Measure) -> ReadableError:
    if abs(known - value) <= 1e-9 * max(abs(known), 1):
        return ReadableError("value_twice")
    return ReadableError("value_differs", value=f"{known:g} {measure.unit}")


def _row(
    case: Case, measure: Measure, at: datetime, value: float, actor: Actor, source: str, written: dict[str, Any]
) -> Observation:
    person = None if isinstance(actor, System) else actor
    row = Observation(case=case, code=measure.code, at=at, source=source, entered_by=person)
    row.content = {"value": value, **written}
    return row


def _event(row: Observation, measure: Measure) -> Any:
    flag = measure.flag(row.content["value"])
    return timeline.made(
        row.case, EventKind.VALUE, f"value.{measure.code}.{flag}".rstrip("."), at=row.at, subject=f"value:{row.pk}",
        actor=row.entered_by, what=measure.title["en"], code_of=measure.code, value=f"{row.content['value']:g}",
        unit=measure.unit, flag=flag,
    )  # fmt: skip


def _import_row(
    parcel: Import, row: Row, known: dict[tuple[str, datetime], float], seen: dict[tuple[str, datetime], float]
) -> ImportRow:
    made_row = ImportRow(parcel=parcel, number=row.number)
    content: dict[str, Any] = {"written": {name: value[:200] for name, value in row.written.items()}}
    problem: Unusable | ReadableError | None = row.problem
    if row.measure is not None and row.at is not None and row.value is not None:
        key = (row.measure.code, row.at)
        other = known.get(key, seen.get(key))
        problem = _clash(other, row.value, row.measure) if other is not None else None
        seen[key] = row.value
        content |= {"code": row.measure.code, "at": row.at.isoformat(), "value": row.value}
    made_row.content = content
    if problem is not None:
        made_row.reason_code, made_row.reason_parameters = problem.code, dict(problem.parameters)
    return made_row


def _touch(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(touched_at=timezone.now())

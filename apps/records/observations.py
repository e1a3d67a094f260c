"""Adding, voiding and querying observations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.jobs.errors import UserError
from apps.jobs.events import publish
from apps.records import event_log
from apps.records.access import require
from apps.records.events import ObservationsChanged
from apps.records.models import Case, EventKind, Observation
from apps.records.observation_files import EARLIEST, InvalidInput, parse_value
from apps.terminology.loinc import Measure, by_code, catalogue
from apps.terminology.quantities import Choice, Reading, State


class ValueQuestion(UserError):
    """A value that is ambiguous or very unusual; ``choices`` are the values that it may stand for."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading.reason, **reading.parameters)
        self.choices: tuple[Choice, ...] = reading.choices


def add(
    case: Case,
    code: str,
    value: str,
    unit: str,
    at: datetime,
    *,
    actor: Actor,
    source: str = "entry",
    chosen: float | None = None,
    listed_unit: bool = True,
) -> Observation:
    """Add one value.

    Args:
        value: as written, with its comparator.
        listed_unit: whether a value without unit is in the measurement's own; else it is asked about if need be.
        chosen: which of the choices of an earlier :class:`ValueQuestion` is meant.

    Raises:
        PermissionError: if the actor does not care for the patient.
        ValueQuestion: if the value must be confirmed or is ambiguous.
        UserError: if the value is not acceptable.
    """
    require(actor, "records.view_case", case)
    measure = by_code(code)
    if measure is None:
        raise UserError("value_code", given=code[:40])
    code = measure.code
    if not EARLIEST < at <= timezone.now():
        problem = "value_future" if at > EARLIEST else "value_time"
        raise UserError(problem, value=at.isoformat(" ", "minutes"))
    number, comparator = _read(measure, value, unit, chosen, listed_unit)
    with transaction.atomic():
        if not Case.objects.select_for_update().get(pk=case.pk).is_open:
            raise UserError("case_closed")
        known = known_values(case, {(code, at)})
        if (code, at) in known:
            raise conflict_error(known[code, at], (number, comparator), measure)
        details = {"comparator": comparator, "as_entered": value, "unit_as_entered": unit}
        row = build_row(case, measure, at, number, actor, source, details)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            raise UserError("value_twice") from None
        event_log.store_events([_build_event(row, measure)])
        audit.record(actor, "value.added", row, why="treatment", code=code)
        _touch(case)
        publish(ObservationsChanged(case.pk))
    return row


def _read(measure: Measure, value: str, unit: str, chosen: float | None, listed_unit: bool) -> tuple[float, str]:
    """Return the number in the measurement's unit and its comparator.

    Raises:
        ValueQuestion, UserError: as :func:`add`.
    """
    try:
        reading = parse_value(measure, value, unit, listed_unit=listed_unit)
    except InvalidInput as problem:
        raise UserError(problem.code, **problem.parameters) from None
    if reading.state == State.ASK:
        if chosen is None or chosen not in [choice.value for choice in reading.choices]:
            raise ValueQuestion(reading)
        return chosen, reading.comparator
    if reading.value is None:
        raise UserError("value_number", value=value[:40])
    return reading.value, reading.comparator


def void(observation: Observation, *, actor: Actor) -> bool:
    """Mark a value as entered in error and exclude it from all calculations; False if it is already marked.

    Raises:
        PermissionError: if the actor does not care for the patient.
    """
    require(actor, "records.view_case", observation.case)
    with transaction.atomic():
        updated = Observation.objects.filter(pk=observation.pk, voided_at=None).update(voided_at=timezone.now())
        if updated:
            observation.case.events.filter(subject=f"value:{observation.pk}").delete()
            audit.record(actor, "value.voided", observation, why="treatment", code=observation.code)
            publish(ObservationsChanged(observation.case_id))
    return bool(updated)


def store_observations(case: Case, rows: list[Observation]) -> None:
    """Insert many values with their timeline events."""
    Observation.objects.bulk_create(rows, batch_size=500)
    measures = {code: by_code(code) for code in {row.code for row in rows}}
    event_log.store_events(_build_event(row, measure) for row in rows if (measure := measures[row.code]) is not None)
    _touch(case)


def build_observation(case: Case, code: str, at: datetime, value: float, *, source: str) -> Observation:
    """Build a generated value for :func:`store_observations`."""
    return build_row(case, catalogue()[code], at, value, System("synthetic values"), source, {})


@dataclass(frozen=True)
class Trend:
    """All values of one measurement in a case, oldest first."""

    measure: Measure
    rows: list[Observation]

    @property
    def last(self) -> Observation:
        """The newest value."""
        return self.rows[-1]

    @property
    def points(self) -> list[tuple[str, float, str]]:
        """ISO times, values and comparators; with a comparator the value is a limit, and the true one is not known."""
        return [(row.at.isoformat(), row.value, row.comparator) for row in self.rows]

    @property
    def flag(self) -> str:
        """``low`` or ``high`` if the newest value is outside the reference range, else empty."""
        return self.measure.flag(self.last.value, self.last.comparator)


def trends(case: Case) -> list[Trend]:
    """Return the case's values by measurement, in catalogue order; children's without the ranges of adults."""
    by_measure: dict[str, list[Observation]] = {}
    for row in Observation.objects.filter(case=case, voided_at=None).select_related("case").order_by("at"):
        by_measure.setdefault(row.code, []).append(row)
    listed = [code for code in catalogue() if code in by_measure]
    others = sorted(set(by_measure) - set(listed))
    age = age_of(case)
    measures = ((code, by_code(code)) for code in [*listed, *others])
    return [Trend(measure.for_age(age), by_measure[code]) for code, measure in measures if measure is not None]


def age_of(case: Case) -> float | None:
    """Return the patient's age in years at the start of the case; None if the birth date is not known."""
    born = case.patient.birth_date
    return None if born is None else (case.started_at.date() - born).days / 365.25


Known = tuple[float, str]
"""A recorded value and its comparator."""


def known_values(case: Case, keys: set[tuple[str, datetime]]) -> dict[tuple[str, datetime], Known]:
    """Return the recorded values of these measurements and times."""
    codes = {code for code, _at in keys}
    rows = Observation.objects.filter(case=case, code__in=codes, voided_at=None).select_related("case")
    return {(row.code, row.at): (row.value, row.comparator) for row in rows if (row.code, row.at) in keys}


def conflict_error(known: Known, value: Known, measure: Measure) -> UserError:
    """Return the error for a second value of the same time: the same one again, or a different one."""
    if known[1] == value[1] and abs(known[0] - value[0]) <= 1e-9 * max(abs(known[0]), 1):
        return UserError("value_twice")
    return UserError("value_differs", value=f"{known[1]}{known[0]:g} {measure.unit}")


def build_row(
    case: Case, measure: Measure, at: datetime, value: float, actor: Actor, source: str, details: dict[str, Any]
) -> Observation:
    user = None if isinstance(actor, System) else actor
    row = Observation(case=case, code=measure.code, at=at, source=source, entered_by=user)
    row.content = {
        "value": value,
        **{name: detail for name, detail in details.items() if detail or name != "comparator"},
    }
    return row


def _build_event(row: Observation, measure: Measure) -> Any:
    flag = measure.for_age(age_of(row.case)).flag(row.value, row.comparator)
    return event_log.build_event(
        row.case, EventKind.VALUE, f"value.{measure.code}.{flag}".rstrip("."), at=row.at, subject=f"value:{row.pk}",
        actor=row.entered_by, what=measure.title["en"], code_of=measure.code, value=f"{row.comparator}{row.value:g}",
        unit=measure.unit, flag=flag,
    )  # fmt: skip


def _touch(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(touched_at=timezone.now())

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
from apps.terminology.loinc import Measure, catalogue


def add(
    case: Case, code: str, value: str, unit: str, at: datetime, *, actor: Actor, source: str = "entry"
) -> Observation:
    """Add one value.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: if the value is not acceptable.
    """
    require(actor, "records.view_case", case)
    measure = catalogue().get(code)
    if measure is None:
        raise UserError("value_code", given=code[:40])
    if not EARLIEST < at <= timezone.now():
        code = "value_future" if at > EARLIEST else "value_time"
        raise UserError(code, value=at.isoformat(" ", "minutes"))
    try:
        number = parse_value(measure, value, unit)
    except InvalidInput as problem:
        raise UserError(problem.code, **problem.parameters) from None
    with transaction.atomic():
        if not Case.objects.select_for_update().get(pk=case.pk).is_open:
            raise UserError("case_closed")
        known = known_values(case, {(code, at)})
        if (code, at) in known:
            raise conflict_error(known[code, at], number, measure)
        row = build_row(case, measure, at, number, actor, source, {"as_entered": value, "unit_as_entered": unit})
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
    event_log.store_events(_build_event(row, catalogue()[row.code]) for row in rows)
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
    def points(self) -> list[tuple[str, float]]:
        """ISO times and values."""
        return [(row.at.isoformat(), row.content["value"]) for row in self.rows]


def trends(case: Case) -> list[Trend]:
    """Return the case's values by measurement, in catalogue order."""
    by_code: dict[str, list[Observation]] = {}
    for row in Observation.objects.filter(case=case, voided_at=None).select_related("case").order_by("at"):
        by_code.setdefault(row.code, []).append(row)
    return [Trend(measure, by_code[code]) for code, measure in catalogue().items() if code in by_code]


def known_values(case: Case, keys: set[tuple[str, datetime]]) -> dict[tuple[str, datetime], float]:
    codes = {code for code, _at in keys}
    rows = Observation.objects.filter(case=case, code__in=codes, voided_at=None).select_related("case")
    return {(row.code, row.at): row.content["value"] for row in rows if (row.code, row.at) in keys}


def conflict_error(known: float, value: float, measure: Measure) -> UserError:
    if abs(known - value) <= 1e-9 * max(abs(known), 1):
        return UserError("value_twice")
    return UserError("value_differs", value=f"{known:g} {measure.unit}")


def build_row(
    case: Case, measure: Measure, at: datetime, value: float, actor: Actor, source: str, details: dict[str, Any]
) -> Observation:
    user = None if isinstance(actor, System) else actor
    row = Observation(case=case, code=measure.code, at=at, source=source, entered_by=user)
    row.content = {"value": value, **details}
    return row


def _build_event(row: Observation, measure: Measure) -> Any:
    flag = measure.flag(row.content["value"])
    return event_log.build_event(
        row.case, EventKind.VALUE, f"value.{measure.code}.{flag}".rstrip("."), at=row.at, subject=f"value:{row.pk}",
        actor=row.entered_by, what=measure.title["en"], code_of=measure.code, value=f"{row.content['value']:g}",
        unit=measure.unit, flag=flag,
    )  # fmt: skip


def _touch(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(touched_at=timezone.now())

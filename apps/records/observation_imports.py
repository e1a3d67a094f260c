"""Importing a file of values: read, looked at, then taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import User
from apps.jobs.errors import UserError
from apps.jobs.events import publish
from apps.records.access import require
from apps.records.events import ObservationsChanged
from apps.records.models import Case, ObservationImport, ObservationImportRow
from apps.records.observation_files import Row, Unusable, read_file
from apps.records.observations import build_row, clash, known_values, store_observations
from apps.terminology.loinc import catalogue

FRESH_IMPORTS = 5
"""Imports of a person that wait to be taken; older ones are removed."""


def prepare(case: Case, content: bytes, *, actor: User) -> ObservationImport:
    """Read a file and keep its rows to be looked at; nothing is taken over yet.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: if the file as a whole cannot be read.
    """
    require(actor, "records.view_case", case)
    try:
        source, rows = read_file(content, now=timezone.now(), zone=timezone.get_current_timezone())
    except Unusable as problem:
        raise UserError(problem.code, **problem.parameters) from None
    with transaction.atomic():
        parcel = ObservationImport.objects.create(case=case, user=actor, source=source)
        known = known_values(case, {(row.measure.code, row.at) for row in rows if row.measure and row.at})
        seen: dict[tuple[str, datetime], float] = {}
        ObservationImportRow.objects.bulk_create(
            (_import_row(parcel, row, known, seen) for row in rows), batch_size=500
        )
        audit.record(actor, "values.prepared", parcel, why="treatment", rows=len(rows))
        old = (
            ObservationImport.objects.filter(user=actor, taken_at=None)
            .order_by("-at")
            .values_list("pk", flat=True)[FRESH_IMPORTS:]
        )
        ObservationImport.objects.filter(pk__in=list(old)).delete()
    return parcel


def take(parcel: ObservationImport, *, actor: User) -> int:
    """Take over the rows that can be taken; how many. A second click takes nothing.

    Raises:
        PermissionError: if the actor does not care for the patient or did not bring the file.
        UserError: ``case_closed``.
    """
    require(actor, "records.view_case", parcel.case)
    if parcel.user_id != actor.pk:
        raise PermissionError("who brought the file takes it over")
    with transaction.atomic():
        if not Case.objects.select_for_update().get(pk=parcel.case_id).is_open:
            raise UserError("case_closed")
        if not ObservationImport.objects.filter(pk=parcel.pk, taken_at=None).update(taken_at=timezone.now()):
            return 0
        made = []
        for row in parcel.rows.filter(reason_code="").select_related("parcel__case"):
            content = row.content
            measure = catalogue()[content["code"]]
            at = datetime.fromisoformat(content["at"])
            made.append(
                build_row(
                    parcel.case, measure, at, content["value"], actor, parcel.source, {"as_written": content["written"]}
                )
            )
        known = known_values(parcel.case, {(row.code, row.at) for row in made})
        made = [row for row in made if (row.code, row.at) not in known]
        store_observations(parcel.case, made)
        audit.record(actor, "values.imported", parcel, why="treatment", rows=len(made))
        publish(ObservationsChanged(parcel.case_id))
    return len(made)


def _import_row(
    parcel: ObservationImport,
    row: Row,
    known: dict[tuple[str, datetime], float],
    seen: dict[tuple[str, datetime], float],
) -> ObservationImportRow:
    made_row = ObservationImportRow(parcel=parcel, number=row.number)
    content: dict[str, Any] = {"written": {name: value[:200] for name, value in row.written.items()}}
    problem: Unusable | UserError | None = row.problem
    if row.measure is not None and row.at is not None and row.value is not None:
        key = (row.measure.code, row.at)
        other = known.get(key, seen.get(key))
        problem = clash(other, row.value, row.measure) if other is not None else None
        seen[key] = row.value
        content |= {"code": row.measure.code, "at": row.at.isoformat(), "value": row.value}
    made_row.content = content
    if problem is not None:
        made_row.reason_code, made_row.reason_parameters = problem.code, dict(problem.parameters)
    return made_row

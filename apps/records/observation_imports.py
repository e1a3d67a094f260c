"""Import of files of values in two steps: prepared for review, then applied."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import User
from apps.jobs.errors import UserError
from apps.jobs.events import publish
from apps.records.access import require
from apps.records.events import ObservationsChanged
from apps.records.models import Case, Observation, ObservationImport, ObservationImportRow
from apps.records.observation_files import InvalidInput, Row, read_file
from apps.records.observations import Known, build_row, conflict_error, known_values, store_observations
from apps.records.patient_reference import subject_test
from apps.terminology.loinc import by_code

QUESTIONS = (
    "value_ambiguous", "value_rare", "value_approximate", "value_remark", "value_preliminary", "value_status",
)  # fmt: skip
"""Reason codes of rows that may be imported once a clinician has chosen what they mean."""
MAX_PENDING_IMPORTS = 5
"""Pending imports kept per user; older ones are removed."""


def prepare_import(case: Case, content: bytes, *, actor: User) -> ObservationImport:
    """Parse a file and store its rows for review; nothing is added to the record yet.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: if the file as a whole cannot be read.
    """
    require(actor, "records.view_case", case)
    try:
        source, rows = read_file(
            content,
            now=timezone.now(),
            zone=timezone.get_current_timezone(),
            is_patient=subject_test(content, case.patient),
        )
    except InvalidInput as problem:
        raise UserError(problem.code, **problem.parameters) from None
    with transaction.atomic():
        observation_import = ObservationImport.objects.create(case=case, user=actor, source=source)
        known = known_values(case, {(row.measure.code, row.at) for row in rows if row.measure and row.at})
        seen: dict[tuple[str, datetime], Known] = {}
        ObservationImportRow.objects.bulk_create(
            (_import_row(observation_import, row, known, seen) for row in rows), batch_size=500
        )
        audit.record(actor, "values.prepared", observation_import, why="treatment", rows=len(rows))
        outdated = (
            ObservationImport.objects.filter(user=actor, taken_at=None)
            .order_by("-at")
            .values_list("pk", flat=True)[MAX_PENDING_IMPORTS:]
        )
        ObservationImport.objects.filter(pk__in=list(outdated)).delete()
    return observation_import


def apply_import(
    observation_import: ObservationImport, *, actor: User, chosen: Mapping[uuid.UUID, float] | None = None
) -> int:
    """Add the valid rows to the record; return how many. Applying an import twice adds nothing.

    Args:
        chosen: for rows that are asked about, by id, which of their choices is meant; rows without one stay out.

    Raises:
        PermissionError: if the actor does not care for the patient or did not upload the file.
        UserError: ``case_closed``.
    """
    require(actor, "records.view_case", observation_import.case)
    if observation_import.user_id != actor.pk:
        raise PermissionError("only the user who uploaded the file may import it")
    with transaction.atomic():
        if not Case.objects.select_for_update().get(pk=observation_import.case_id).is_open:
            raise UserError("case_closed")
        if not ObservationImport.objects.filter(pk=observation_import.pk, taken_at=None).update(
            taken_at=timezone.now()
        ):
            return 0
        wanted = Q(reason_code="") | Q(pk__in=list(chosen or ()), reason_code__in=QUESTIONS)
        rows = observation_import.rows.filter(wanted).select_related("parcel__case")
        built = [_build(row, actor, chosen or {}) for row in rows]
        observations = [row for row in built if row is not None]
        known = known_values(observation_import.case, {(row.code, row.at) for row in observations})
        taken: dict[tuple[str, datetime], Observation] = {}
        for row in observations:
            if (row.code, row.at) not in known:
                taken.setdefault((row.code, row.at), row)
        store_observations(observation_import.case, list(taken.values()))
        audit.record(actor, "values.imported", observation_import, why="treatment", rows=len(taken))
        publish(ObservationsChanged(observation_import.case_id))
    return len(taken)


def _build(row: ObservationImportRow, actor: User, chosen: Mapping[uuid.UUID, float]) -> Observation | None:
    """Build the observation of a row: as read, or as chosen; None if it has neither."""
    content = row.content
    value = content.get("value")
    if row.reason_code:
        wanted = chosen.get(row.pk)
        value = wanted if wanted in [choice["value"] for choice in row.choices] else None
    measure = by_code(content.get("code", ""))
    if measure is None or value is None:
        return None
    details = {"comparator": content.get("comparator", ""), "as_written": content["written"]}
    parcel = row.parcel
    return build_row(parcel.case, measure, datetime.fromisoformat(content["at"]), value, actor, parcel.source, details)


def _import_row(
    observation_import: ObservationImport,
    row: Row,
    known: dict[tuple[str, datetime], Known],
    seen: dict[tuple[str, datetime], Known],
) -> ObservationImportRow:
    import_row = ObservationImportRow(parcel=observation_import, number=row.number)
    content: dict[str, Any] = {"written": {name: value[:200] for name, value in row.cells.items()}}
    problem: InvalidInput | UserError | None = row.problem
    if row.measure is not None and row.at is not None:
        content |= {"code": row.measure.code, "at": row.at.isoformat(), "comparator": row.comparator}
        content["choices"] = [{"value": choice.value, "text": choice.text} for choice in row.choices]
    if row.measure is not None and row.at is not None and row.value is not None:
        key = (row.measure.code, row.at)
        other = known.get(key, seen.get(key))
        problem = conflict_error(other, (row.value, row.comparator), row.measure) if other is not None else None
        seen[key] = (row.value, row.comparator)
        content["value"] = row.value
    import_row.content = content
    if problem is not None:
        import_row.reason_code, import_row.reason_parameters = problem.code, dict(problem.parameters)
    return import_row

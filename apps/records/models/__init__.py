"""The patient record: cases, their timeline, statements and observations."""

from apps.records.models.case import Case, CaseStatus, Priority
from apps.records.models.event import Event, EventKind
from apps.records.models.observation import Observation, ObservationImport, ObservationImportRow
from apps.records.models.statement import Statement, StatementKind, StatementStatus

__all__ = [
    "Case",
    "CaseStatus",
    "Event",
    "EventKind",
    "Observation",
    "ObservationImport",
    "ObservationImportRow",
    "Priority",
    "Statement",
    "StatementKind",
    "StatementStatus",
]

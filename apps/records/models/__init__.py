"""The patient record: cases, their timeline, statements and observations."""

from apps.records.models.case import Case, CaseStatus, Priority
from apps.records.models.event import Event, EventKind
from apps.records.models.observation import Observation, ObservationImport, ObservationImportRow
from apps.records.models.statement import (
    CURRENT,
    STATUSES,
    AllergyType,
    Certainty,
    Intent,
    NoKnown,
    Severity,
    Statement,
    StatementKind,
    StatementStatus,
)

__all__ = [
    "CURRENT",
    "STATUSES",
    "AllergyType",
    "Case",
    "CaseStatus",
    "Certainty",
    "Event",
    "EventKind",
    "Intent",
    "NoKnown",
    "Observation",
    "ObservationImport",
    "ObservationImportRow",
    "Priority",
    "Severity",
    "Statement",
    "StatementKind",
    "StatementStatus",
]

"""The case and what belongs to it."""

from apps.cases.models.case import Case, CaseStatus, Event, EventKind, Priority
from apps.cases.models.notes import (
    Concept,
    ConceptVerdict,
    Draft,
    Note,
    NoteKind,
    NoteRevision,
    NoteToken,
    Reading,
    Why,
)
from apps.cases.models.predictions import (
    Alarm,
    AlarmRule,
    AlarmSight,
    CaseVector,
    Discordance,
    Prediction,
    PredictionKind,
    Summary,
)
from apps.cases.models.reports import Report, ReportState, ReportVersion, ToldReport
from apps.cases.models.values import Code, Import, ImportRow, Observation, Statement, StatementKind, StatementStatus
from apps.cases.models.work import Comment, Document, HandOver, Referral, Task

__all__ = [
    "Alarm",
    "AlarmRule",
    "AlarmSight",
    "Case",
    "CaseStatus",
    "CaseVector",
    "Code",
    "Comment",
    "Concept",
    "ConceptVerdict",
    "Discordance",
    "Document",
    "Draft",
    "Event",
    "EventKind",
    "HandOver",
    "Import",
    "ImportRow",
    "Note",
    "NoteKind",
    "NoteRevision",
    "NoteToken",
    "Observation",
    "Prediction",
    "PredictionKind",
    "Priority",
    "Reading",
    "Referral",
    "Report",
    "ReportState",
    "ReportVersion",
    "Statement",
    "StatementKind",
    "StatementStatus",
    "Summary",
    "Task",
    "ToldReport",
    "Why",
]

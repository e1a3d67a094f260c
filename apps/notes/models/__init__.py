"""Notes, their extractions, and what is derived from all notes of a case."""

from apps.notes.models.case_content import CaseVector, Discordance, Summary
from apps.notes.models.note import (
    Concept,
    ConceptVerdict,
    Draft,
    Note,
    NoteExtraction,
    NoteKind,
    NoteRevision,
    NoteToken,
    SpecialtyExplanation,
)

__all__ = [
    "CaseVector",
    "Concept",
    "ConceptVerdict",
    "Discordance",
    "Draft",
    "Note",
    "NoteExtraction",
    "NoteKind",
    "NoteRevision",
    "NoteToken",
    "SpecialtyExplanation",
    "Summary",
]

"""Notes, what was extracted from them, and what all notes of a case give together."""

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

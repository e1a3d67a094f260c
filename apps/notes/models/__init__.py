"""Notes, what was extracted from them, and what all notes of a case give together."""

from apps.notes.models.case_content import CaseVector, Discordance, Summary
from apps.notes.models.note import Concept, ConceptVerdict, Draft, Note, NoteKind, NoteRevision, NoteToken, Reading, Why

__all__ = [
    "CaseVector",
    "Concept",
    "ConceptVerdict",
    "Discordance",
    "Draft",
    "Note",
    "NoteKind",
    "NoteRevision",
    "NoteToken",
    "Reading",
    "Summary",
    "Why",
]

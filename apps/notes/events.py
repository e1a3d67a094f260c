"""Domain events published by notes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from apps.jobs.events import DomainEvent


@dataclass(frozen=True)
class NoteExtracted(DomainEvent):
    """The concepts of a note of this case were extracted and stored."""

    case_id: uuid.UUID


@dataclass(frozen=True)
class ConceptReviewed(DomainEvent):
    """A clinician confirmed or rejected a concept of a note of this case."""

    case_id: uuid.UUID

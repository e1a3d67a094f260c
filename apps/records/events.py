"""Domain events of the patient record."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from apps.jobs.events import DomainEvent


@dataclass(frozen=True)
class ObservationsChanged(DomainEvent):
    """Values of a case were added, imported or marked as entered in error."""

    case_id: uuid.UUID


@dataclass(frozen=True)
class StatementsChanged(DomainEvent):
    """A problem, an allergy or a medication of a case was added or changed its status."""

    case_id: uuid.UUID

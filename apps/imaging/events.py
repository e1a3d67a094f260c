"""Domain events of imaging."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from apps.jobs.events import DomainEvent


@dataclass(frozen=True)
class InstanceStored(DomainEvent):
    """An instance was stored and indexed; ``urgent`` means that a user is waiting for the result."""

    series_id: uuid.UUID
    urgent: bool

"""What imaging tells the apps above."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from apps.jobs.events import DomainEvent


@dataclass(frozen=True)
class InstanceStored(DomainEvent):
    """An instance was stored and indexed; ``urgent`` says whether a person waits for it."""

    series_id: uuid.UUID
    urgent: bool

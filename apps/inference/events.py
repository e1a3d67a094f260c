"""Domain events published by inference."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from apps.jobs.events import DomainEvent


@dataclass(frozen=True)
class AnalysisCompleted(DomainEvent):
    """An analysis succeeded; its findings are stored."""

    analysis_id: uuid.UUID


@dataclass(frozen=True)
class FindingReviewed(DomainEvent):
    """A clinician agreed with, rejected or corrected a finding of this analysis."""

    analysis_id: uuid.UUID

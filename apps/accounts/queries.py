"""Shared queries on the audit trail."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.accounts.models import AuditEntry

READS = (
    "study.opened", "study.read", "explanation.read", "record.opened", "emergency.opened", "release.requested",
    "release.downloaded", "case.read", "report.read", "finding.reviewed", "consent.recorded", "analysis.read",
    "recommendation.opened", "appointment.booked", "question.answered",
)  # fmt: skip
"""Actions in which a person viewed part of a record."""


def record_accesses(patient_ref: str) -> QuerySet[AuditEntry]:
    """Return the accesses to a record by people, newest first; the system's own are left out."""
    rows = AuditEntry.objects.filter(patient_ref=patient_ref, actor__isnull=False, action__in=READS)
    return rows.select_related("actor").order_by("-at")

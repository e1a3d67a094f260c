"""Reads of accounts and the trail that more than one caller needs."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.accounts.models import AuditEntry

READS = (
    "study.opened", "study.read", "explanation.read", "record.opened", "emergency.opened", "release.requested",
    "release.downloaded", "case.read", "report.read", "finding.reviewed", "consent.recorded", "analysis.read",
    "recommendation.opened", "appointment.booked", "question.answered",
)  # fmt: skip
"""Acts by which a person came to see something of a record."""


def looks_at(patient_ref: str) -> QuerySet[AuditEntry]:
    """Who looked at a record, newest first; acts of the software itself are left out."""
    rows = AuditEntry.objects.filter(patient_ref=patient_ref, actor__isnull=False, action__in=READS)
    return rows.select_related("actor").order_by("-at")

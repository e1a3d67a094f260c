"""Why a study must be kept: a report on it was signed."""

from __future__ import annotations

from apps.imaging.models import Study
from apps.reports.models import ReportState, ReportVersion


def signed_report_on(study: Study) -> str:
    """Return a reason code if a report on the study, or an earlier version of one, was signed."""
    signed = ReportVersion.objects.filter(report__study=study, state__in=[ReportState.FINAL, ReportState.AMENDED])
    return "signed_report" if signed.exists() else ""

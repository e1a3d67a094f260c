"""Release of signed reports to the patient, with an explanation in plain language.

Model results of the study are not included: they are released separately, on the explanation's page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.contact.models import PatientRelease, ReleaseKind
from apps.contact.patient_release import Released, release_to_patient, visible_releases, withdraw_release
from apps.jobs.errors import UserError
from apps.records.access import require
from apps.reports.models import Report, ReportState, ReportVersion


@dataclass(frozen=True)
class ReleasedReport(Released):
    """A report version released to the patient, with its plain-language explanation."""

    version: ReportVersion


def release_report(version: ReportVersion, words: str, *, actor: User) -> PatientRelease:
    """Release a version to the patient; it replaces an earlier release of the report.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        UserError: ``report_not_signed``; and see :func:`release_to_patient`.
    """
    report = version.report
    require(actor, "records.decide_case", report.case)
    if version.state not in (ReportState.FINAL, ReportState.AMENDED):
        raise UserError("report_not_signed")
    return release_to_patient(
        report.case.patient,
        ReleaseKind.REPORT,
        version.pk,
        words,
        actor=actor,
        notice="report_to_read",
        replaces=report.versions.values_list("pk", flat=True),
    )


def withdraw_report(report: Report, *, actor: User) -> bool:
    """Withdraw a report from the patient; return False if none of its versions is released.

    Raises:
        PermissionError: if the actor is no physician of the patient.
    """
    require(actor, "records.decide_case", report.case)
    released = released_version(report, actor)
    return released is not None and withdraw_release(released.release, actor=actor)


def released_reports(actor: Actor | None) -> list[ReleasedReport]:
    """Released reports visible to the actor (the patient or the patient's clinicians), newest first."""
    return _with_versions(visible_releases(actor, ReleaseKind.REPORT))


def released_version(report: Report, actor: Actor | None) -> ReleasedReport | None:
    """The release of this report, if any."""
    versions = list(report.versions.values_list("pk", flat=True))
    rows = visible_releases(actor, ReleaseKind.REPORT).filter(subject_id__in=versions)
    return next(iter(_with_versions(rows)), None)


def _with_versions(releases: Iterable[PatientRelease]) -> list[ReleasedReport]:
    releases = list(releases)
    rows = ReportVersion.objects.select_related("issued_by", "report__case__patient", "report__study")
    versions = rows.in_bulk([release.subject_id for release in releases])
    return [
        ReleasedReport(release, versions[release.subject_id]) for release in releases if release.subject_id in versions
    ]

"""Letting the patient read a report: only by a physician, only what was signed, with words that a patient understands.

What models said of the study is not part of it: a finding is told by itself, on its explanation's page.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.contact.mail import notify_patient as notify_patient
from apps.jobs.errors import UserError
from apps.patients.access import permits, visible_patient_filter
from apps.patients.models import Purpose
from apps.records.access import require
from apps.reports.models import ReportRelease, ReportState, ReportVersion

LONGEST = 4000


def release_report(version: ReportVersion, words: str, *, actor: User) -> ReportRelease:
    """Release a version to the patient; what was told of the report before is replaced.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        UserError: ``report_not_signed``, ``report_untold`` without words, or ``report_portal``.
    """
    patient = version.report.case.patient
    require(actor, "records.decide_case", version.report.case)
    if version.state not in (ReportState.FINAL, ReportState.AMENDED):
        raise UserError("report_not_signed")
    if not words.strip():
        raise UserError("report_untold")
    if not permits(patient, Purpose.PORTAL):
        raise UserError("report_portal")
    try:
        with transaction.atomic():
            ReportRelease.objects.filter(version__report=version.report, withdrawn_at=None).update(
                withdrawn_at=timezone.now()
            )
            told = ReportRelease(version=version, released_by=actor)
            told.words = words.strip()[:LONGEST]
            told.save(force_insert=True)
            audit.record(actor, "report.told", version.report, why="treatment", version=version.number)
            notify_patient(patient, "report_to_read")
    except IntegrityError:  # a double click: the other one has told it
        return ReportRelease.objects.get(version=version, withdrawn_at=None)
    return told


def withdraw(told: ReportRelease, *, actor: User) -> bool:
    """Take it back; the record keeps what was told. False if it is so already.

    Raises:
        PermissionError: if the actor is no physician of the patient.
    """
    require(actor, "records.decide_case", told.version.report.case)
    done = ReportRelease.objects.filter(pk=told.pk, withdrawn_at=None).update(withdrawn_at=timezone.now())
    if done:
        audit.record(actor, "report.untold", told.version.report, why="treatment")
    return bool(done)


def visible_released(actor: Actor | None) -> QuerySet[ReportRelease]:
    """What was told and not taken back: to the patient it is about, and to clinicians of the patient."""
    seen = visible_patient_filter(actor, "version__report__case__patient_id")
    rows = ReportRelease.objects.filter(seen, withdrawn_at=None)
    return rows.select_related(
        "released_by", "version__issued_by", "version__report__case__patient", "version__report__study"
    )

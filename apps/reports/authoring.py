"""Writing, issuing and amending reports."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import User
from apps.imaging.models import Study
from apps.jobs.errors import UserError
from apps.records.access import require
from apps.records.conflicts import EditConflict
from apps.records.event_log import log_event
from apps.records.models import Case, EventKind
from apps.reports.models import Report, ReportState, ReportVersion
from apps.reports.report_content import MAX_IMAGES, ai_results, choosable, newest_values
from apps.reports.report_templates import SECTIONS, TEMPLATES, template_for


def begin(case: Case, *, study: Study | None, actor: User, template: str = "") -> Report:
    """Create a draft report of a study of the case (or of the whole case) from a template.

    Raises:
        PermissionError: if the actor is no physician of the patient.
    """
    require(actor, "records.decide_case", case)
    if study is not None and not case.studies.filter(pk=study.pk).exists():
        raise PermissionError("the study is not part of the case")
    template = template if template in TEMPLATES else template_for(study.modality_list if study else [])
    with transaction.atomic():
        report = Report(case=case, study=study, template=template, author=actor)
        texts: dict[str, Any] = TEMPLATES[template]["texts"]  # type: ignore[assignment]
        report.content = {"sections": {name: str(texts.get(name, "")) for name in SECTIONS}, "images": []}
        report.save(force_insert=True)
        audit.record(actor, "report.begun", report, why="treatment")
    return report


def save(report: Report, sections: dict[str, str], images: list[str], *, revision: int, actor: User) -> Report:
    """Save an unsigned report if nobody else has changed it since ``revision``.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        UserError: ``report_signed``.
        EditConflict: with the current report.
    """
    require(actor, "records.decide_case", report.case)
    with transaction.atomic():
        now = Report.objects.select_for_update().select_related("case").get(pk=report.pk)
        if now.signed:
            raise UserError("report_signed")
        content = _content(now, sections, images, actor)
        if now.content == content:
            return now
        if now.revision != revision:
            raise EditConflict("report_changed", now)
        now.content, now.revision, now.changed_at = content, now.revision + 1, timezone.now()
        now.save()
        audit.record(actor, "report.saved", now, why="treatment")
    return now


def issue(report: Report, state: ReportState, *, revision: int, actor: User) -> ReportVersion:
    """Issue a report as preliminary or final; the models' findings and the physicians' reviews are stored with it.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        UserError: ``report_signed`` or ``report_incomplete``.
        EditConflict: if somebody saved meanwhile: nobody signs what they have not seen.
    """
    if state not in (ReportState.PRELIMINARY, ReportState.FINAL):
        raise ValueError("state must be preliminary or final")
    require(actor, "records.decide_case", report.case)
    with transaction.atomic():
        now = Report.objects.select_for_update().select_related("case").get(pk=report.pk)
        if now.signed:
            raise UserError("report_signed")
        if now.revision != revision:
            raise EditConflict("report_changed", now)
        return _issue(now, state, actor, "")


def amend(
    report: Report, sections: dict[str, str], images: list[str], *, reason: str, revision: int, actor: User
) -> ReportVersion:
    """Amend a signed report: issue a new version with a reason; earlier versions stay readable.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        UserError: ``report_signed`` without a reason, or ``report_incomplete``.
        EditConflict: if somebody amended it meanwhile.
        ValueError: if the report is not signed.
    """
    require(actor, "records.decide_case", report.case)
    if not reason.strip():
        raise UserError("report_signed")
    with transaction.atomic():
        now = Report.objects.select_for_update().select_related("case").get(pk=report.pk)
        if not now.signed:
            raise ValueError("only signed reports are amended")
        if now.revision != revision:
            raise EditConflict("report_changed", now)
        now.content = _content(now, sections, images, actor)
        now.revision, now.changed_at = now.revision + 1, timezone.now()
        return _issue(now, ReportState.AMENDED, actor, reason.strip()[:1000])


def _issue(report: Report, state: ReportState, actor: User, reason: str) -> ReportVersion:
    texts = report.content["sections"]
    if not texts.get("findings", "").strip() or not texts.get("impression", "").strip():
        raise UserError("report_incomplete")
    report.state = state
    report.save()
    number = (report.versions.values_list("number", flat=True).first() or 0) + 1
    version = ReportVersion(report=report, number=number, state=state, issued_by=actor)
    version.content = {**report.content, "ai": ai_results(report.study, actor), "values": newest_values(report.case)}
    version.reason = {"text": reason}
    version.save(force_insert=True)
    log_event(
        report.case,
        EventKind.REPORT,
        f"report.{state.value}",
        subject=f"version:{version.pk}",
        actor=actor,
        state=str(ReportState(state).label),
    )
    audit.record(actor, "report.issued", report, why="treatment", state=state.value, version=number)
    return version


def _content(report: Report, sections: dict[str, str], images: list[str], actor: User) -> dict[str, Any]:
    allowed = {str(row.pk) for row in choosable(report.study, actor)}
    texts = {name: sections.get(name, "").replace("\r\n", "\n")[:20_000] for name in SECTIONS}
    return {"sections": texts, "images": [image for image in images if image in allowed][:MAX_IMAGES]}

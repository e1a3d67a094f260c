"""Writing, issuing and amending reports, and handing them out."""

from __future__ import annotations

import base64
import uuid
from datetime import datetime, time
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import User
from apps.cases.access import require, visible_filter
from apps.cases.casework import Changed
from apps.cases.export import fhir
from apps.cases.export.pdf import NoPdf, pdf
from apps.cases.models import Case, EventKind, Report, ReportState, ReportVersion
from apps.cases.report_templates import SECTIONS, TEMPLATES, template_for
from apps.cases.timeline import happened
from apps.cases.values import trends
from apps.explainability.access import visible_to as visible_explanations
from apps.explainability.exports import film_with_overlay
from apps.explainability.models import Explanation
from apps.imaging.models import Instance, Study
from apps.imaging.queries import header_of
from apps.inference.access import visible_findings
from apps.inference.models import Finding
from apps.jobs.errors import ReadableError

MOST_IMAGES = 4


def begin(case: Case, *, study: Study | None, actor: User, template: str = "") -> Report:
    """Begin a report of a study of the case (or of the case as a whole) from a template.

    Raises:
        PermissionError: if the actor is no physician of the patient.
    """
    require(actor, "cases.decide_case", case)
    if study is not None and not case.studies.filter(pk=study.pk).exists():
        raise PermissionError("a report is about a study of the case")
    template = template if template in TEMPLATES else template_for(study.modality_list if study else [])
    with transaction.atomic():
        report = Report(case=case, study=study, template=template, author=actor)
        texts: dict[str, Any] = TEMPLATES[template]["texts"]  # type: ignore[assignment]
        report.content = {"sections": {name: str(texts.get(name, "")) for name in SECTIONS}, "images": []}
        report.save(force_insert=True)
        audit.record(actor, "report.begun", report, why="treatment")
    return report


def save(report: Report, sections: dict[str, str], images: list[str], *, revision: int, actor: User) -> Report:
    """Save a report that is not signed yet, if nobody else has since ``revision``.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        ReadableError: ``report_signed``.
        Changed: with the report as it is now.
    """
    require(actor, "cases.decide_case", report.case)
    with transaction.atomic():
        now = Report.objects.select_for_update().select_related("case").get(pk=report.pk)
        if now.signed:
            raise ReadableError("report_signed")
        content = _content(now, sections, images, actor)
        if now.content == content:
            return now
        if now.revision != revision:
            raise Changed("report_changed", now)
        now.content, now.revision, now.changed_at = content, now.revision + 1, timezone.now()
        now.save()
        audit.record(actor, "report.saved", now, why="treatment")
    return now


def issue(report: Report, state: ReportState, *, revision: int, actor: User) -> ReportVersion:
    """Issue it as preliminary or final; what the models said and doctors made of it is kept with it.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        ReadableError: ``report_signed`` or ``report_incomplete``.
        Changed: if somebody saved meanwhile: nobody signs what they have not seen.
    """
    if state not in (ReportState.PRELIMINARY, ReportState.FINAL):
        raise ValueError("a report is issued as preliminary or final")
    require(actor, "cases.decide_case", report.case)
    with transaction.atomic():
        now = Report.objects.select_for_update().select_related("case").get(pk=report.pk)
        if now.signed:
            raise ReadableError("report_signed")
        if now.revision != revision:
            raise Changed("report_changed", now)
        return _issue(now, state, actor, "")


def amend(
    report: Report, sections: dict[str, str], images: list[str], *, reason: str, revision: int, actor: User
) -> ReportVersion:
    """Change a signed report: a new version with the reason; the old one stays readable.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        ReadableError: ``report_signed`` without a reason, or ``report_incomplete``.
        Changed: if somebody amended it meanwhile.
    """
    require(actor, "cases.decide_case", report.case)
    if not reason.strip():
        raise ReadableError("report_signed")
    with transaction.atomic():
        now = Report.objects.select_for_update().select_related("case").get(pk=report.pk)
        if not now.signed:
            raise ValueError("what is not signed is saved")
        if now.revision != revision:
            raise Changed("report_changed", now)
        now.content = _content(now, sections, images, actor)
        now.revision, now.changed_at = now.revision + 1, timezone.now()
        return _issue(now, ReportState.AMENDED, actor, reason.strip()[:1000])


def ai_results(study: Study | None, actor: User) -> list[dict[str, Any]]:
    """The models' findings on a study with the doctors' verdicts, as JSON."""
    if study is None:
        return []
    rows = (
        visible_findings(actor)
        .filter(analysis__series__study=study, is_abnormal=True)
        .select_related("analysis__package", "analysis__series__study")
        .prefetch_related("reviews__reviewer")
        .order_by("analysis__package__name", "-analysis__queued_at", "position")
    )
    return [_ai(finding) for finding in rows]


def key_images(report: Report, actor: User) -> list[tuple[Explanation, str]]:
    """The chosen explanations drawn over their films, as data addresses; what is gone is left out."""
    wanted = report.content.get("images", [])
    rows = visible_explanations(actor).filter(pk__in=wanted, revision__gt=0)
    rows = rows.select_related("finding__analysis__package", "finding__instance__series__study")
    return [(row, _data(film_with_overlay(row))) for row in rows[:MOST_IMAGES]]


def choosable(study: Study | None, actor: User) -> list[Explanation]:
    """Explanations of the study that can be shown as key images."""
    if study is None:
        return []
    rows = visible_explanations(actor).filter(finding__analysis__series__study=study, revision__gt=0)
    return list(rows.select_related("finding__analysis__package")[:12])


def page(report: Report, version: ReportVersion | None, actor: User) -> dict[str, Any]:
    """What the printed page shows: a version that was issued, or the report as it stands."""
    content = version.content if version else {**report.content, "ai": ai_results(report.study, actor)}
    texts = content["sections"]
    return {
        "report": report,
        "case": report.case,
        "patient": report.case.patient,
        "study": report.study,
        "version": version,
        "state_words": ReportState(version.state if version else report.state).label,
        "sections": [(title, texts.get(name, "")) for name, title in SECTIONS.items() if texts.get(name, "").strip()],
        "ai": content.get("ai", []),
        "images": key_images(report, actor),
        "values": content.get("values", []),
        "title": TEMPLATES[report.template]["title"],
        "hospital": settings.HOSPITAL_NAME,
    }


def as_pdf(report: Report, version: ReportVersion | None, *, actor: User) -> bytes:
    """The page as PDF.

    Raises:
        ReadableError: ``report_no_pdf``.
    """
    html = render_to_string("cases/report_pdf.html", page(report, version, actor))
    try:
        made = pdf(html)
    except NoPdf:
        raise ReadableError("report_no_pdf") from None
    audit.record(actor, "report.read", report, why="treatment", part="pdf")
    return made


def as_fhir(report: Report, *, actor: User) -> dict[str, Any]:
    """A FHIR DiagnosticReport of what was issued last."""
    version = report.versions.first()
    content = version.content if version else report.content
    patient, texts = report.case.patient, content["sections"]
    audit.record(actor, "report.read", report, why="treatment", part="fhir")
    return fhir.diagnostic_report(
        pk=str(report.pk),
        state=report.state,
        patient={"mrn": patient.mrn, "issuer": patient.mrn_issuer, "name": patient.display_name},
        study_uid=report.study.study_instance_uid if report.study else "",
        issued=version.issued_at if version else report.changed_at,
        effective=timezone.make_aware(datetime.combine(report.study.study_date, time.min))
        if report.study and report.study.study_date
        else None,
        author=str(version.issued_by if version else report.author),
        conclusion=texts.get("impression", ""),
        text="\n\n".join(f"{SECTIONS[name]}\n{text}" for name, text in texts.items() if text.strip()),
        values=[
            fhir.Value(
                str(number),
                row["code"],
                row["loinc"],
                row["title"]["en"],
                row["value"],
                row["unit"],
                datetime.fromisoformat(row["at"]),
            )
            for number, row in enumerate(content.get("values", []))
        ],
    )


def as_sr(report: Report, *, actor: User) -> bytes:
    """A DICOM SR of what was issued last.

    Raises:
        ReadableError: ``report_incomplete`` without a study or before it was issued.
    """
    from apps.cases.export import sr  # its library is large, and few ask for DICOM objects

    version = report.versions.first()
    if version is None or report.study is None:
        raise ReadableError("report_incomplete")
    images = Instance.objects.filter(series__study=report.study).select_related("series__study")[:64]
    values = [(row["title"]["en"], row["value"], row["unit"]) for row in version.content.get("values", [])]
    audit.record(actor, "report.read", report, why="treatment", part="sr")
    signed = sr.Signed(
        name=str(version.issued_by),
        organisation=settings.HOSPITAL_NAME,
        when=version.issued_at,
        final=version.state != ReportState.PRELIMINARY,
        uid=str(version.pk),
    )
    return sr.structured_report([header_of(image) for image in images], version.content["sections"], values, signed)


def visible_reports(actor: User) -> Any:
    """Reports of cases that the actor sees."""
    rows = Report.objects.filter(visible_filter(actor, "case__"))
    return rows.select_related("case__patient", "study", "author").prefetch_related("versions__issued_by")


def _issue(report: Report, state: ReportState, actor: User, reason: str) -> ReportVersion:
    texts = report.content["sections"]
    if not texts.get("findings", "").strip() or not texts.get("impression", "").strip():
        raise ReadableError("report_incomplete")
    report.state = state
    report.save()
    number = (report.versions.values_list("number", flat=True).first() or 0) + 1
    version = ReportVersion(report=report, number=number, state=state, issued_by=actor)
    version.content = {**report.content, "ai": ai_results(report.study, actor), "values": _newest_values(report.case)}
    version.reason = {"text": reason}
    version.save(force_insert=True)
    happened(
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
    return {"sections": texts, "images": [image for image in images if image in allowed][:MOST_IMAGES]}


def _newest_values(case: Case) -> list[dict[str, Any]]:
    """The newest value of each kind, as it belongs into a report."""
    return [
        {
            "code": trend.measure.code,
            "loinc": trend.measure.is_loinc,
            "title": trend.measure.title,
            "value": trend.last.content["value"],
            "unit": trend.measure.unit,
            "flag": trend.measure.flag(trend.last.content["value"]),
            "low": trend.measure.low,
            "high": trend.measure.high,
            "at": trend.last.at.isoformat(),
        }
        for trend in trends(case)
    ]


def _ai(finding: Finding) -> dict[str, Any]:
    newest: dict[uuid.UUID | int, str] = {}
    for review in finding.reviews.all():
        newest.setdefault(review.reviewer_id, f"{review.verdict}:{review.reviewer}")
    return {
        "title": finding.card_label["title"],
        "percent": round(100 * finding.probability, 1),
        "positive": finding.positive,
        "model": str(finding.analysis.package),
        "verdicts": list(newest.values()),
    }


def _data(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"

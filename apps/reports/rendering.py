"""Render a report as HTML context, PDF, DICOM SR or FHIR DiagnosticReport."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import User
from apps.imaging.models import Instance
from apps.imaging.queries import drawable, header_of
from apps.jobs.errors import UserError
from apps.reports.export import fhir
from apps.reports.export.pdf import NoPdf, pdf
from apps.reports.models import Report, ReportState, ReportVersion
from apps.reports.report_content import ai_results, key_images
from apps.reports.report_templates import SECTIONS, TEMPLATES


def page(report: Report, version: ReportVersion | None, actor: User) -> dict[str, Any]:
    """Template context of the printed report: an issued version, or the current content."""
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
    """Render the report as PDF.

    Raises:
        UserError: ``report_no_pdf``.
    """
    html = render_to_string("reports/report_pdf.html", page(report, version, actor))
    try:
        content = pdf(html)
    except NoPdf:
        raise UserError("report_no_pdf") from None
    audit.record(actor, "report.read", report, why="treatment", part="pdf")
    return content


def as_fhir(report: Report, *, actor: User) -> dict[str, Any]:
    """The last issued version (or the draft, if none) as FHIR DiagnosticReport."""
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
                row.get("comparator", ""),
            )
            for number, row in enumerate(content.get("values", []))
        ],
    )


def as_sr(report: Report, *, actor: User) -> bytes:
    """The last issued version as DICOM SR.

    Raises:
        UserError: ``report_incomplete`` if the report has no study or was never issued.
    """
    from apps.reports.export import sr  # imported lazily: highdicom is large and rarely needed

    version = report.versions.first()
    if version is None or report.study is None:
        raise UserError("report_incomplete")
    stored = Instance.objects.filter(series__study=report.study).select_related("series__study")
    evidence = drawable(stored)[:64] or stored[:64]  # a study may hold no images, for instance an ECG
    values = [
        (row["title"]["en"], row["value"], row["unit"], row.get("comparator", ""))
        for row in version.content.get("values", [])
    ]
    audit.record(actor, "report.read", report, why="treatment", part="sr")
    signed = sr.Signed(
        name=str(version.issued_by),
        organisation=settings.HOSPITAL_NAME,
        when=version.issued_at,
        final=version.state != ReportState.PRELIMINARY,
        uid=str(version.pk),
    )
    return sr.structured_report(
        [header_of(instance) for instance in evidence], version.content["sections"], values, signed
    )

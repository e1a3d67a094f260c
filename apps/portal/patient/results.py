"""Results and reports released by a physician, and downloads of the patient's data."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.accounts import audit
from apps.accounts.actors import signed_in
from apps.explainability.explanation_release import released_explanations
from apps.patients.models import Patient
from apps.portal.patient import download
from apps.portal.patient.views import own_record
from apps.reports.export.pdf import NoPdf, pdf
from apps.reports.report_release import ReleasedReport, released_reports
from apps.reports.report_templates import SECTIONS


@own_record
@require_GET
def result_page(request: HttpRequest, own: Patient) -> HttpResponse:
    """Show released model results and reports."""
    actor = signed_in(request)
    audit.record(actor, "results.read", own)
    reports = [
        {
            "told": report,
            "sections": sections_of(report),
            "newer": report.version.report.versions.filter(number__gt=report.version.number).exists(),
        }
        for report in released_reports(actor)
    ]
    context = {"results": released_explanations(actor), "reports": reports}
    return render(request, "portal/patient/results.html", context)


@own_record
@require_GET
def report_file(request: HttpRequest, own: Patient, pk: uuid.UUID) -> HttpResponse:
    """Download a released report as PDF."""
    report = next((released for released in released_reports(signed_in(request)) if released.pk == pk), None)
    if report is None:
        raise Http404
    context = {
        "told": report, "sections": sections_of(report), "record": own, "hospital": settings.HOSPITAL_NAME,
        "values": report.version.content.get("values", []),
    }  # fmt: skip
    return _as_pdf(request, "portal/patient/report_pdf.html", context, f"report-{report.released_at:%Y-%m-%d}.pdf")


@own_record
@require_GET
def data_file(request: HttpRequest, own: Patient) -> JsonResponse:
    """Download everything that the portal shows, as a FHIR R5 Bundle."""
    actor = signed_in(request)
    audit.record(actor, "data.downloaded", own, form="fhir")
    response = JsonResponse(download.bundle(actor, own), content_type="application/fhir+json")
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


@own_record
@require_GET
def data_pdf(request: HttpRequest, own: Patient) -> HttpResponse:
    """Download everything that the portal shows, as PDF."""
    actor = signed_in(request)
    audit.record(actor, "data.downloaded", own, form="pdf")
    context = {**download.everything(actor, own), "hospital": settings.HOSPITAL_NAME}
    return _as_pdf(request, "portal/patient/data_pdf.html", context, "my-data.pdf")


def sections_of(report: ReleasedReport) -> list[tuple[str, str]]:
    """Return the report's text by section, without model outputs on the study."""
    texts = report.version.content["sections"]
    return [(str(title), texts.get(name, "")) for name, title in SECTIONS.items() if texts.get(name, "").strip()]


def _as_pdf(request: HttpRequest, template: str, context: dict[str, object], name: str) -> HttpResponse:
    try:
        content = pdf(render_to_string(template, context))
    except NoPdf:
        messages.error(request, _("This server cannot create PDF files. Download your data as FHIR instead."))
        return redirect("portal:patient-record")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type="application/pdf", headers=headers)

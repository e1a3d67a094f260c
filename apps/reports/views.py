"""Pages and downloads of reports."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS, PHYSICIANS
from apps.accounts.untrusted_input import whole_number
from apps.jobs.errors import UserError
from apps.records.case_pages import get_case, render_case_page, show_user_errors
from apps.records.conflicts import EditConflict
from apps.records.models import Case
from apps.records.text_diff import difference
from apps.reports import authoring, rendering, report_content, report_release
from apps.reports.models import Report, ReportState, ReportVersion
from apps.reports.report_templates import SECTIONS, TEMPLATES


@role_required(*CLINICIANS)
@require_GET
def report_list(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """List the case's reports."""
    case = get_case(request, pk)
    context = {
        "reports": report_content.visible_reports(signed_in(request)).filter(case=case),
        "studies": case.studies.order_by("-received_at"),
        "templates": [(name, template["title"]) for name, template in TEMPLATES.items()],
    }
    return render_case_page(request, case, "reports", context)


@role_required(*PHYSICIANS)
@require_POST
@show_user_errors
def begin(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Create a draft report."""
    case = get_case(request, pk)
    uid = request.POST.get("study", "")
    study = get_object_or_404(case.studies, study_instance_uid=uid) if uid else None
    report = authoring.begin(case, study=study, template=request.POST.get("template", ""), actor=signed_in(request))
    return redirect("reports:report", pk, report.pk)


@role_required(*CLINICIANS)
@require_http_methods(["GET", "POST"])
@show_user_errors
def report_page(request: HttpRequest, pk: uuid.UUID, report_id: uuid.UUID) -> HttpResponse:
    """Show a report; save, issue or amend it by POST."""
    case, user = get_case(request, pk), signed_in(request)
    report = _report(request, case, report_id)
    typed = (
        {name: request.POST.get(name, "") for name in SECTIONS}
        if request.method == "POST"
        else report.content["sections"]
    )
    context: dict[str, Any] = {"status": 200}
    if request.method == "POST":
        context = _save(request, report, typed)
        if context["status"] == 302:
            return redirect("reports:report", pk, report_id)
        report = _report(request, case, report_id)
    images = request.POST.getlist("image") if request.method == "POST" else report.content.get("images", [])
    amending = report.signed and (request.GET.get("amend") == "1" or request.method == "POST")
    choices = report_content.choosable(report.study, user)
    context |= {
        **rendering.page(report, None, user),
        "fields": [(name, title, typed.get(name, "")) for name, title in SECTIONS.items()],
        "choices": [(row, str(row.pk) in images) for row in choices],
        "versions": report.versions.select_related("issued_by", "report__case"),
        "told": report_release.released_version(report, user),
        "writable": not report.signed or amending,
        "amending": amending,
        "reason": request.POST.get("reason", ""),
    }
    return render_case_page(request, case, "reports", context, template="reports/report.html", status=context["status"])


@role_required(*CLINICIANS)
@require_GET
def printed(request: HttpRequest, pk: uuid.UUID, report_id: uuid.UUID, number: int) -> HttpResponse:
    """Show a version for printing (0: the current content), with its changes since the version before."""
    case, user = get_case(request, pk), signed_in(request)
    report = _report(request, case, report_id)
    version = _version(report, number)
    before = report.versions.filter(number=number - 1).first() if version else None
    changes = [
        (title, difference(before.content["sections"].get(name, ""), version.content["sections"].get(name, "")))
        for name, title in SECTIONS.items()
        if before is not None
        and version is not None
        and before.content["sections"].get(name) != version.content["sections"].get(name)
    ]
    return render_case_page(
        request,
        case,
        "reports",
        {**rendering.page(report, version, user), "changes": changes},
        template="reports/report_print.html",
    )


@role_required(*CLINICIANS)
@require_GET
@show_user_errors
def as_pdf(request: HttpRequest, pk: uuid.UUID, report_id: uuid.UUID, number: int) -> HttpResponse:
    """Download a version as PDF."""
    report = _report(request, get_case(request, pk), report_id)
    content = rendering.as_pdf(report, _version(report, number), actor=signed_in(request))
    return _file(content, "application/pdf", f"report-{report.pk.hex[:8]}-{number}.pdf")


@role_required(*CLINICIANS)
@require_GET
@show_user_errors
def as_sr(request: HttpRequest, pk: uuid.UUID, report_id: uuid.UUID) -> HttpResponse:
    """Download the last version as DICOM SR."""
    report = _report(request, get_case(request, pk), report_id)
    return _file(
        rendering.as_sr(report, actor=signed_in(request)), "application/dicom", f"report-{report.pk.hex[:8]}.dcm"
    )


@role_required(*CLINICIANS)
@require_GET
def as_fhir(request: HttpRequest, pk: uuid.UUID, report_id: uuid.UUID) -> JsonResponse:
    """Download the last version as FHIR DiagnosticReport."""
    report = _report(request, get_case(request, pk), report_id)
    return JsonResponse(rendering.as_fhir(report, actor=signed_in(request)), content_type="application/fhir+json")


@role_required(*PHYSICIANS)
@require_POST
@show_user_errors
def tell(request: HttpRequest, pk: uuid.UUID, report_id: uuid.UUID, number: int) -> HttpResponse:
    """Release a version to the patient."""
    version = _version(_report(request, get_case(request, pk), report_id), number)
    if version is None:
        raise Http404
    try:
        report_release.release_report(version, request.POST.get("words", ""), actor=signed_in(request))
        messages.success(request, _("Released. The patient has been notified."))
    except UserError as refusal:
        messages.error(request, str(refusal))
    return redirect("reports:report", pk, report_id)


@role_required(*PHYSICIANS)
@require_POST
@show_user_errors
def untell(request: HttpRequest, pk: uuid.UUID, report_id: uuid.UUID, number: int) -> HttpResponse:
    """Withdraw the report from the patient."""
    report = _report(request, get_case(request, pk), report_id)
    report_release.withdraw_report(report, actor=signed_in(request))
    return redirect("reports:report", pk, report_id)


def _save(request: HttpRequest, report: Report, typed: dict[str, str]) -> dict[str, Any]:
    """Save, issue or amend, as submitted; on errors the page shows the submitted text again."""
    user, images = signed_in(request), request.POST.getlist("image")
    revision = whole_number(request.POST.get("revision"))
    act = request.POST.get("act", "save")
    try:
        if report.signed:
            authoring.amend(report, typed, images, reason=request.POST.get("reason", ""), revision=revision, actor=user)
            messages.success(request, _("The amended report has been issued."))
            return {"status": 302}
        now = authoring.save(report, typed, images, revision=revision, actor=user)
        if act in (ReportState.PRELIMINARY, ReportState.FINAL):
            authoring.issue(now, ReportState(act), revision=now.revision, actor=user)
            messages.success(request, _("The report has been issued."))
        else:
            messages.success(request, _("Saved."))
    except EditConflict as conflict:
        pieces = [
            (title, difference(conflict.now.content["sections"].get(name, ""), typed[name]))
            for name, title in SECTIONS.items()
            if conflict.now.content["sections"].get(name, "") != typed[name]
        ]
        return {"status": 409, "conflict": conflict, "conflict_pieces": pieces}
    except UserError as refusal:
        messages.error(request, str(refusal))
        return {"status": 422}
    return {"status": 302}


def _report(request: HttpRequest, case: Case, report_id: uuid.UUID) -> Report:
    report: Report = get_object_or_404(report_content.visible_reports(signed_in(request)), pk=report_id, case=case)
    return report


def _version(report: Report, number: int) -> ReportVersion | None:
    if number == 0:
        return None
    version = report.versions.filter(number=number).select_related("issued_by", "report__case").first()
    if version is None:
        raise Http404
    return version


def _file(content: bytes, media_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        content, content_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )

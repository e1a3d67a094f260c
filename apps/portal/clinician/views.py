"""The clinician's worklist and reading page."""

from __future__ import annotations

import uuid
from typing import Any

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts import audit
from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS, PHYSICIANS
from apps.explainability import scheduling
from apps.imaging.access import visible_to
from apps.imaging.models import Study
from apps.imaging.quarantine import decidable
from apps.imaging.queries import studies
from apps.imaging.study_objects import objects_of
from apps.inference import review as reviewing
from apps.inference.access import visible_findings
from apps.inference.access import visible_to as visible_analyses
from apps.inference.models import Finding, Verdict
from apps.patients.access import active_emergencies, permits
from apps.patients.models import Purpose
from apps.portal.clinician import reading, worklist
from apps.portal.clinician.filters import WorklistFilter
from apps.portal.clinician.forms import ReviewForm
from apps.records.queries import of_study


@role_required(*CLINICIANS)
@require_http_methods(["GET", "POST"])
def worklist_page(request: HttpRequest) -> HttpResponse:
    """List studies, most urgent and newest first; filters are submitted by POST."""
    actor = signed_in(request)
    filters = WorklistFilter(request.POST or None, queryset=Study.objects.none())
    search = ""
    if filters.form.is_bound and not filters.form.is_valid():
        rows = studies(actor)
    else:
        search = filters.form.cleaned_data.get("search", "") if filters.form.is_bound else ""
        rows = filters.filter_queryset(studies(actor, search=search)) if filters.form.is_bound else studies(actor)
    page = worklist.page(rows, after=request.POST.get("after", ""), search=search)
    context = {
        "filter": filters,
        "page": page,
        "after": request.POST.get("after", ""),
        "held": decidable(actor).count(),
    }
    if not request.headers.get("X-Polling"):
        audit.record(actor, "studies.searched" if search else "studies.listed", why="treatment", rows=len(page.rows))
    template = "portal/clinician/_rows.html" if request.headers.get("HX-Request") else "portal/clinician/worklist.html"
    return render(request, template, context)


@csp_update({"style-src-attr": ["'unsafe-inline'"]})  # type: ignore[arg-type]  # Cornerstone styles its text
@role_required(*CLINICIANS)
@require_GET
def study_page(request: HttpRequest, study_uid: str) -> HttpResponse:
    """Show the reading page."""
    study = _study(request, study_uid)
    emergency = active_emergencies(signed_in(request)).filter(patient=study.patient).first()
    audit.record(signed_in(request), "study.opened", study, why="emergency" if emergency else "treatment")
    context = {"study": study, "viewer_texts": _viewer_texts(), "emergency": emergency, **_panel(request, study)}
    context["cases"] = of_study(signed_in(request), study.pk)
    context["objects"], context["image_series"] = objects_of(study), reading.image_series(study)
    return render(request, "portal/clinician/study.html", context)


@role_required(*CLINICIANS)
@require_GET
def findings_panel(request: HttpRequest, study_uid: str) -> HttpResponse:
    """Render the findings panel, which the page polls while analyses are unfinished."""
    study = _study(request, study_uid)
    return render(request, "portal/clinician/_findings.html", {"study": study, **_panel(request, study)})


@role_required(*CLINICIANS)
@require_GET
def manifest(request: HttpRequest, study_uid: str) -> JsonResponse:
    """Serve the viewer's manifest."""
    study = _study(request, study_uid)
    return JsonResponse(reading.manifest(study, reading.read(signed_in(request), study)))


@role_required(*PHYSICIANS)
@require_POST
def review_finding(request: HttpRequest, finding_id: uuid.UUID) -> HttpResponse:
    """Review a finding: agree, disagree or correct."""
    finding = get_object_or_404(visible_findings(signed_in(request)), pk=finding_id)
    form = ReviewForm(request.POST)
    problem = ""
    if form.is_valid():
        data = {**form.cleaned_data, "verdict": Verdict(form.cleaned_data["verdict"])}
        try:
            reviewing.review(finding, **data, actor=signed_in(request))
        except ValueError:
            problem = _("Choose the correct finding.")
    else:
        problem = _("Choose Agree, Disagree or Correct. Comments are limited to 2,000 characters.")
    return _back(request, finding.analysis.series.study, problem=problem, about=finding)


@role_required(*CLINICIANS)
@require_POST
def explain_finding(request: HttpRequest, finding_id: uuid.UUID) -> HttpResponse:
    """Request an explanation, or retry a failed one."""
    finding = get_object_or_404(visible_findings(signed_in(request)), pk=finding_id)
    scheduling.request_explanation(finding, actor=signed_in(request))
    return _back(request, finding.analysis.series.study)


@role_required(*CLINICIANS)
@require_POST
def retry_analysis(request: HttpRequest, analysis_id: uuid.UUID) -> HttpResponse:
    """Retry a failed analysis."""
    analysis = get_object_or_404(visible_analyses(signed_in(request)), pk=analysis_id)
    reviewing.retry(analysis, actor=signed_in(request))
    return _back(request, analysis.series.study)


def _viewer_texts() -> dict[str, str]:
    return {
        "loading": _("Loading images …"),
        "failed": _(
            "The images could not be displayed. Reload the page; if it happens again, contact your administrator."
        ),
        "noImages": _("This study has no images that can be displayed."),
        "image": _("1 image"),
        "images": _("{count} images"),
        "axial": _("axial"),
        "coronal": _("coronal"),
        "sagittal": _("sagittal"),
        "oblique": _("oblique"),
        "localizer": _("localizer"),
        "unplaced": _("without position"),
        "position": _("Image {current} of {total}"),
        "probe": _("{before} % before, {after} % with the area masked"),
        "probing": _("Calculating …"),
        "probeFailed": _("The model did not respond. Try again."),
        "probeEmpty": _("Mark an area first."),
        "explanationFailed": _("The explanation could not be displayed. Reload the page."),
    }


def _study(request: HttpRequest, study_uid: str) -> Study:
    rows = visible_to(signed_in(request)).select_related("patient").prefetch_related("series")
    return get_object_or_404(rows, study_instance_uid=study_uid)


def _panel(request: HttpRequest, study: Study) -> dict[str, Any]:
    analyses = reading.read(signed_in(request), study)
    return {
        "analyses": analyses,
        "under_way": reading.under_way(analyses),
        "ai_permitted": permits(study.patient, Purpose.AI),
    }


def _back(request: HttpRequest, study: Study, *, problem: str = "", about: Finding | None = None) -> HttpResponse:
    """Render the panel again for htmx requests; redirect to the page otherwise."""
    if not request.headers.get("HX-Request"):
        return redirect("portal:study", study.study_instance_uid)
    context = {"study": study, **_panel(request, study), "problem": problem, "about": about.pk if about else None}
    return render(request, "portal/clinician/_findings.html", context, status=422 if problem else 200)

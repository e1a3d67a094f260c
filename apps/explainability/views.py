"""Pages of explanations: detail, comparison of explainers, cohort attention."""

from __future__ import annotations

import math
import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.accounts import audit
from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS, PHYSICIANS, Role
from apps.contact.patient_release import picture_of
from apps.explainability import cohort, explanation_release, scheduling, similar
from apps.explainability.access import visible_to
from apps.explainability.drawing import charts
from apps.explainability.explainers.image.methods import grid_of
from apps.explainability.forms import MethodForm, TellForm
from apps.explainability.labels import MEASURE_WORDS, STOPPED_WORDS
from apps.explainability.models import Explanation
from apps.explainability.queries import comparison_rows, comparisons, slice_groups, strongest_slice, zones
from apps.inference.access import visible_findings
from apps.inference.models import PackageVersion
from apps.jobs.errors import UserError


@role_required(*CLINICIANS)
@require_GET
def detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show an explanation in full."""
    explanation = _explanation(request, pk)
    audit.record(signed_in(request), "explanation.read", explanation, why="treatment", part="page")
    others = visible_to(signed_in(request)).filter(finding=explanation.finding_id).order_by("queued_at")
    context = {
        **_figures(explanation),
        "others": others,
        "alike": similar.nearest(signed_in(request), explanation.finding),
        "form": MethodForm(
            task=explanation.finding.analysis.package.card["task"], taken=[other.method for other in others]
        ),
        "pictures": _pictures(explanation),
        "told": next(
            (
                released
                for released in explanation_release.released_explanations(signed_in(request))
                if released.explanation.pk == explanation.pk
            ),
            None,
        ),
        "tell_form": TellForm(initial={"sentence": explanation_release.draft(explanation)}),
    }
    return render(request, "explainability/detail.html", context)


@role_required(*CLINICIANS)
@require_GET
def state(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Fragment with the figures, polled while the explanation is refined and checked."""
    return render(request, "explainability/_figures.html", _figures(_explanation(request, pk)))


@role_required(*CLINICIANS)
@require_POST
def ask(request: HttpRequest, finding_id: uuid.UUID) -> HttpResponse:
    """Request an explanation by another method, or retry a failed one."""
    finding = get_object_or_404(visible_findings(signed_in(request)), pk=finding_id)
    form = MethodForm(request.POST, task=finding.analysis.package.card["task"])
    if not form.is_valid():
        return redirect("portal:study", finding.analysis.series.study.study_instance_uid)
    explanation = scheduling.request_explanation(finding, actor=signed_in(request), method=form.cleaned_data["method"])
    return redirect("explainability:detail", explanation.pk)


@role_required(*PHYSICIANS)
@require_POST
def tell(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Release an explanation to the patient."""
    explanation = _explanation(request, pk)
    form = TellForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Explain it in plain language, in at most 1,500 characters."))
        return redirect("explainability:detail", pk)
    try:
        explanation_release.release_explanation(explanation, form.cleaned_data["sentence"], actor=signed_in(request))
    except UserError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The patient can now see it."))
    return redirect("explainability:detail", pk)


@role_required(*PHYSICIANS)
@require_POST
def withdraw(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Withdraw an explanation from the patient."""
    released = _released(request, pk)
    explanation_release.withdraw_explanation(released, actor=signed_in(request))
    messages.success(request, _("The patient can no longer see it."))
    return redirect("explainability:detail", released.explanation.pk)


@role_required(*CLINICIANS, Role.PATIENT)
@require_GET
def released_picture(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Serve the released image."""
    released = _released(request, pk)
    audit.record(signed_in(request), "explanation.read", released.explanation, why="treatment", part="told")
    return HttpResponse(picture_of(released.release), content_type="image/png")


@login_required
@require_GET
def comparison(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Show the benchmarks of a package's explainers."""
    package = get_object_or_404(PackageVersion, name=name, version=version)
    tables = [{"comparison": row, "rows": comparison_rows(row)} for row in comparisons(package)]
    return render(request, "explainability/comparison.html", {"package": package, "tables": tables})


@role_required(*CLINICIANS)
@require_GET
def attention(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Show mean attributions by review outcome over the images the user may see."""
    package = get_object_or_404(PackageVersion, name=name, version=version)
    audit.record(signed_in(request), "explanations.listed", why="treatment")
    maps = cohort.attention(signed_in(request), package)
    return render(request, "explainability/attention.html", {"package": package, "maps": maps})


def _explanation(request: HttpRequest, pk: uuid.UUID) -> Explanation:
    rows = visible_to(signed_in(request)).select_related(
        "finding__analysis__series__study__patient", "finding__analysis__package", "finding__instance"
    )
    return get_object_or_404(rows, pk=pk)


def _pictures(explanation: Explanation) -> list[dict[str, Any]]:
    """Images of the page with their proportions: the image, or a volume's strongest slice and projections."""
    if not explanation.geometry:
        return [{"view": "film", "plain": _("The original X-ray"), "width": 100, "height": 100}]
    slices = explanation.geometry["slices"]
    number = slices.index(strongest_slice(explanation)) + 1
    down, deep, wide = explanation.geometry["extent"]
    words = _("Slice %(number)s of %(all)s, with the strongest evidence") % {"number": number, "all": len(slices)}
    return [
        {"view": "film", "plain": words, "width": round(wide), "height": round(deep)},
        {"view": "coronal", "plain": _("Whole volume, front view"), "width": round(wide), "height": round(down)},
        {"view": "sagittal", "plain": _("Whole volume, side view"), "width": round(deep), "height": round(down)},
        {"view": "axial", "plain": _("Whole volume, seen from the feet"), "width": round(wide), "height": round(deep)},
    ]


def _figures(explanation: Explanation) -> dict[str, Any]:
    """Template context of an explanation."""
    quality = explanation.quality
    steps = [(str(zone["words"]), zone["value"]) for zone in zones(explanation)]
    named = explanation.base_value is not None and steps
    rest = (explanation.attribution_sum or 0) - sum(value for _words, value in steps)
    if named and abs(rest) >= 0.0005:
        steps.append((_("all other zones"), rest))
    return {
        "explanation": explanation,
        "finding": explanation.finding,
        "study": explanation.finding.analysis.series.study,
        "bars": charts.waterfall(
            explanation.base_value or 0.0,
            steps,
            (_("healthy reference"), _("this volume") if explanation.geometry else _("this X-ray")),
        )
        if named
        else [],
        "measures": [(words, quality[code]) for code, words in MEASURE_WORDS.items() if code in quality],
        "curves": {
            kind: charts.line(quality[f"{kind}_curve"])
            for kind in ("deletion", "insertion")
            if f"{kind}_curve" in quality
        },
        "curve_rows": _curve_rows(quality),
        "slabs": slice_groups(explanation),
        "regions": math.prod(grid_of(explanation.finding.analysis.package.card)),
        "stopped": STOPPED_WORDS.get(explanation.stopped, ""),
    }


def _curve_rows(quality: dict[str, Any]) -> list[tuple[float, float, float]]:
    """Rows of percent of regions, output while revealed, output while hidden."""
    shown, hidden = quality.get("insertion_curve", []), quality.get("deletion_curve", [])
    steps = max(len(shown) - 1, 1)
    return [(100 * number / steps, 100 * a, 100 * b) for number, (a, b) in enumerate(zip(shown, hidden, strict=True))]


def _released(request: HttpRequest, pk: uuid.UUID) -> explanation_release.ReleasedExplanation:
    released = explanation_release.find_released(signed_in(request), pk)
    if released is None:
        raise Http404
    return released

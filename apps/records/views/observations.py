"""Values: trends, entry, import."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS
from apps.jobs.errors import UserError
from apps.records import observation_imports, observations
from apps.records.case_pages import get_case, render_case_page, show_user_errors
from apps.records.forms import FileForm, ValueForm
from apps.records.labels import FLAGS, GROUPS
from apps.records.models import Observation, ObservationImport
from apps.records.observation_files import MOST_BYTES
from apps.terminology.localisation import in_language
from apps.terminology.units import SHOWN

PREVIEW = 200


@role_required(*CLINICIANS)
@require_http_methods(["GET", "POST"])
def value_page(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Trends with reference bands, the numbers beside them, and a form for one more."""
    case = get_case(request, pk)
    form = ValueForm(request.POST or None, initial={"at": timezone.now()})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            given = form.cleaned_data
            try:
                observations.add(
                    case, given["code"], given["value"], given["unit"], given["at"], actor=signed_in(request)
                )
            except UserError as refusal:
                form.add_error("value", str(refusal))
            else:
                messages.success(request, _("Saved."))
                return redirect("records:values", pk)
    trends = observations.trends(case)
    groups = [
        (title, [trend_row(trend) for trend in trends if trend.measure.group == group])
        for group, title in GROUPS.items()
    ]
    context = {
        "form": form,
        "file_form": FileForm(),
        "groups": [(title, rows) for title, rows in groups if rows],
        "charts": [_chart(trend) for trend in trends],
        "chart_texts": {"reference": _("reference range"), "value": _("Value")},
    }
    return render_case_page(request, case, "values", context, status=status)


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def void(request: HttpRequest, pk: uuid.UUID, value_id: uuid.UUID) -> HttpResponse:
    """Entered in error."""
    row = get_object_or_404(
        Observation.objects.select_related("case__patient"), pk=value_id, case=get_case(request, pk)
    )
    if observations.void(row, actor=signed_in(request)):
        messages.success(request, _("Marked as entered in error."))
    return redirect("records:values", pk)


@role_required(*CLINICIANS)
@require_POST
def bring(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A file of values: read, and shown before anything is taken over."""
    case = get_case(request, pk)
    form = FileForm(request.POST, request.FILES)
    try:
        if not form.is_valid():
            raise UserError("values_empty")
        file = form.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise UserError("values_too_large", most=MOST_BYTES // 2**20)
        parcel = observation_imports.prepare(case, file.read(), actor=signed_in(request))
    except UserError as refusal:
        messages.error(request, str(refusal))
        return redirect("records:values", pk)
    return redirect("records:import", pk, parcel.pk)


@role_required(*CLINICIANS)
@require_GET
def preview(request: HttpRequest, pk: uuid.UUID, parcel_id: uuid.UUID) -> HttpResponse:
    """What a file holds, row by row, with what is wrong."""
    case = get_case(request, pk)
    parcel = get_object_or_404(
        ObservationImport.objects.select_related("case__patient"), pk=parcel_id, case=case, user=signed_in(request)
    )
    rows = parcel.rows.select_related("parcel__case")
    wrong = rows.exclude(reason_code="")
    context = {
        "parcel": parcel,
        "wrong": list(wrong[:PREVIEW]),
        "good": list(rows.filter(reason_code="")[:PREVIEW]),
        "wrong_count": wrong.count(),
        "good_count": rows.filter(reason_code="").count(),
        "preview": PREVIEW,
    }
    return render_case_page(request, case, "values", context, template="records/import.html")


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def take(request: HttpRequest, pk: uuid.UUID, parcel_id: uuid.UUID) -> HttpResponse:
    """Take the good rows over."""
    case = get_case(request, pk)
    parcel = get_object_or_404(
        ObservationImport.objects.select_related("case__patient"), pk=parcel_id, case=case, user=signed_in(request)
    )
    good = 0 if parcel.taken_at else parcel.rows.filter(reason_code="").count()
    taken = observation_imports.take(parcel, actor=signed_in(request))
    if taken < good:
        words = _("%(n)s rows were skipped: values for these times have been recorded in the meantime.")
        messages.warning(request, words % {"n": good - taken})
    messages.success(request, _("%(n)s values imported.") % {"n": taken})
    return redirect("records:values", pk)


def trend_row(trend: observations.Trend) -> dict[str, Any]:
    """A kind of value as pages show it."""
    measure, last = trend.measure, trend.last
    flag = measure.flag(last.content["value"])
    return {
        "code": measure.code,
        "title": in_language(measure.title),
        "unit": measure.unit,
        "low": measure.low,
        "high": measure.high,
        "last": last,
        "value": last.content["value"],
        "flag": flag,
        "flag_words": FLAGS[flag],
        "rows": list(reversed(trend.rows))[:60],
        "count": len(trend.rows),
    }


def _chart(trend: observations.Trend) -> dict[str, Any]:
    measure = trend.measure
    return {
        "code": measure.code,
        "title": in_language(measure.title),
        "unit": SHOWN.get(measure.unit, measure.unit),
        "low": measure.low,
        "high": measure.high,
        "points": trend.points,
    }

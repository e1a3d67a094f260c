"""Views of observations: trends, entry and import."""

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
from apps.records.case_pages import (
    get_case,
    keep_typed_words,
    redirect_page,
    render_case_page,
    show_user_errors,
)
from apps.records.forms import FileForm, ValueForm
from apps.records.labels import FLAGS, GROUPS
from apps.records.models import Observation, ObservationImport
from apps.records.observation_files import MAX_BYTES
from apps.records.observations import ValueQuestion
from apps.terminology.localisation import in_language
from apps.terminology.quantities import Choice
from apps.terminology.units import SHOWN

PREVIEW_ROWS = 200


@keep_typed_words
@role_required(*CLINICIANS)
@require_http_methods(["GET", "POST"])
def value_page(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show trends with reference bands and the values; add a value."""
    case = get_case(request, pk)
    form = ValueForm(request.POST or None, initial={"at": timezone.now()})
    status = 200
    choices: tuple[Choice, ...] = ()
    if request.method == "POST":
        status = 422
        if form.is_valid():
            data = form.cleaned_data
            chosen = parse_choice(request.POST.get("chosen", ""))
            try:
                observations.add(
                    case, data["code"], data["value"], data["unit"], data["at"], actor=signed_in(request), chosen=chosen
                )
            except ValueQuestion as question:
                form.add_error("value", str(question))
                choices = question.choices
            except UserError as refusal:
                form.add_error("value", str(refusal))
            else:
                messages.success(request, _("Saved."))
                return redirect_page(request, redirect("records:values", pk))
    trends = observations.trends(case)
    groups = [
        (title, [trend_row(trend) for trend in trends if trend.measure.group == group])
        for group, title in GROUPS.items()
    ]
    context = {
        "form": form,
        "choices": choices,
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
    """Mark a value as entered in error."""
    row = get_object_or_404(
        Observation.objects.select_related("case__patient"), pk=value_id, case=get_case(request, pk)
    )
    if observations.void(row, actor=signed_in(request)):
        messages.success(request, _("Marked as entered in error."))
    return redirect("records:values", pk)


@role_required(*CLINICIANS)
@require_POST
def upload_import(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Upload a file of values, to be reviewed before import."""
    case = get_case(request, pk)
    form = FileForm(request.POST, request.FILES)
    try:
        if not form.is_valid():
            raise UserError("values_empty")
        file = form.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise UserError("values_too_large", most=MAX_BYTES // 2**20)
        observation_import = observation_imports.prepare_import(case, file.read(), actor=signed_in(request))
    except UserError as refusal:
        messages.error(request, str(refusal))
        return redirect("records:values", pk)
    return redirect("records:import", pk, observation_import.pk)


@role_required(*CLINICIANS)
@require_GET
def preview_import(request: HttpRequest, pk: uuid.UUID, parcel_id: uuid.UUID) -> HttpResponse:
    """Preview an import row by row, with the problems found."""
    case = get_case(request, pk)
    observation_import = get_object_or_404(
        ObservationImport.objects.select_related("case__patient"), pk=parcel_id, case=case, user=signed_in(request)
    )
    rows = observation_import.rows.select_related("parcel__case")
    good = rows.filter(reason_code="")
    asked = rows.filter(reason_code__in=observation_imports.QUESTIONS)
    wrong = rows.exclude(reason_code="").exclude(reason_code__in=observation_imports.QUESTIONS)
    context = {
        "parcel": observation_import,
        "wrong": list(wrong[:PREVIEW_ROWS]),
        "good": list(good[:PREVIEW_ROWS]),
        "asked": list(asked[:PREVIEW_ROWS]),
        "wrong_count": wrong.count(),
        "good_count": good.count(),
        "asked_count": asked.count(),
        "preview": PREVIEW_ROWS,
    }
    return render_case_page(request, case, "values", context, template="records/import.html")


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def apply_import(request: HttpRequest, pk: uuid.UUID, parcel_id: uuid.UUID) -> HttpResponse:
    """Import the valid rows, and those for which a reading was chosen."""
    case = get_case(request, pk)
    observation_import = get_object_or_404(
        ObservationImport.objects.select_related("case__patient"), pk=parcel_id, case=case, user=signed_in(request)
    )
    chosen = {
        row_id: value
        for name, text in request.POST.items()
        if (row_id := _row_id(name)) is not None and (value := parse_choice(str(text))) is not None
    }
    valid = 0
    if not observation_import.taken_at:
        valid = observation_import.rows.filter(reason_code="").count() + len(chosen)
    imported = observation_imports.apply_import(observation_import, actor=signed_in(request), chosen=chosen)
    if imported < valid:
        text = _("%(n)s rows were skipped: values for these times have been recorded in the meantime.")
        messages.warning(request, text % {"n": valid - imported})
    messages.success(request, _("%(n)s values imported.") % {"n": imported})
    return redirect("records:values", pk)


def parse_choice(text: str) -> float | None:
    """Return the chosen reading that a form sent, or None."""
    try:
        return float(text)
    except ValueError:
        return None


def _row_id(name: str) -> uuid.UUID | None:
    """Return the id in a field name such as ``row-<id>``."""
    try:
        return uuid.UUID(name.removeprefix("row-")) if name.startswith("row-") else None
    except ValueError:
        return None


def trend_row(trend: observations.Trend) -> dict[str, Any]:
    """Return a measurement's trend as shown on pages."""
    measure, last = trend.measure, trend.last
    flag = trend.flag
    return {
        "code": measure.code,
        "title": in_language(measure.title),
        "unit": measure.unit,
        "low": measure.low,
        "high": measure.high,
        "last": last,
        "value": last.value,
        "comparator": last.comparator,
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

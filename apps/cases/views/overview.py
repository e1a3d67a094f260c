"""Overview of a case; editing, closing and merging it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS, PHYSICIANS
from apps.cases import services
from apps.cases.forms import ChangeForm, MergeForm
from apps.cases.queries import tasks
from apps.notes import similar_cases
from apps.notes.queries import discordances, summary_context
from apps.predictions import alarms, prediction_requests
from apps.predictions.models import PredictionKind
from apps.records.access import models_permitted
from apps.records.case_pages import add_form_errors, get_case, render_case_page, show_user_errors
from apps.records.conflicts import EditConflict
from apps.records.models import Case, StatementKind
from apps.records.observations import trends
from apps.records.queries import statements
from apps.records.views.observations import trend_row
from apps.terminology.lexicon import concepts
from apps.terminology.localisation import in_language

DIFFERS = {
    "title": "title",
    "priority": "get_priority_display",
    "assignee": "assignee",
    "care_team": "care_team",
    "started_at": "started_at",
}


@role_required(*CLINICIANS)
@require_GET
def overview(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the case's most important information."""
    case = get_case(request, pk)
    user = signed_in(request)
    context: dict[str, Any] = {
        **summary_context(case),
        "statements": [(StatementKind(kind).label, kind, rows) for kind, rows in statements(case).items()],
        "alarms": alarms.open_alarms(case, user=user),
        "snoozes": alarms.SNOOZES,
        "tasks": [task for task in tasks(case) if task.done_at is None][:6],
        "studies": case.studies.order_by("-received_at"),
        "discordances": discordances(case) if models_permitted(case.patient) else [],
        "risk": prediction_requests.answered(case, PredictionKind.DETERIORATION),
        "joined": prediction_requests.answered(case, PredictionKind.CASE_RISK),
        "vitals": [row for row in map(trend_row, trends(case)) if row["flag"]][:8],
        "alike": [(row, _titles(row.shared)) for row in similar_cases.nearest(user, case)],
    }
    return render_case_page(request, case, "overview", context)


@role_required(*CLINICIANS)
@require_GET
def summary(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Fragment with the summary, polled while it is generated."""
    case = get_case(request, pk)
    return render_case_page(request, case, "overview", summary_context(case), template="notes/_summary.html")


@role_required(*CLINICIANS)
@require_http_methods(["GET", "POST"])
@show_user_errors
def change(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Edit a case; after a conflicting edit both versions are shown and nothing is lost."""
    case = get_case(request, pk)
    initial = {name: getattr(case, name) for name in services.CHANGEABLE} | {"revision": case.revision}
    form = ChangeForm(request.POST or None, case=case, initial=initial)
    differences: list[tuple[str, str, str]] = []
    if request.method == "POST" and form.is_valid():
        fields = {name: form.cleaned_data[name] for name in services.CHANGEABLE}
        try:
            services.change(case, revision=form.cleaned_data["revision"], actor=signed_in(request), **fields)
        except EditConflict as conflict:
            differences = _differences(form, conflict.now, fields)
            again = request.POST.copy()
            again["revision"] = str(conflict.now.revision)
            form.data = again
            messages.warning(request, str(conflict))
        else:
            messages.success(request, _("Saved."))
            return redirect("cases:overview", pk)
    context = {"form": form, "differences": differences, "merge_form": MergeForm(case=case)}
    status = 409 if differences else 422 if request.method == "POST" else 200
    return render_case_page(request, case, "overview", context, template="cases/change.html", status=status)


@role_required(*PHYSICIANS)
@require_POST
@show_user_errors
def set_open(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Close or reopen a case."""
    case = get_case(request, pk)
    verb = services.close if request.POST.get("to") == "closed" else services.reopen
    if verb(case, actor=signed_in(request)):
        messages.success(
            request, _("The case has been closed.") if verb is services.close else _("The case has been reopened.")
        )
    return redirect("cases:overview", pk)


@role_required(*PHYSICIANS)
@require_POST
@show_user_errors
def merge(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Merge another case of the same patient into this one."""
    case = get_case(request, pk)
    form = MergeForm(request.POST, case=case)
    if form.is_valid():
        services.merge(form.cleaned_data["source"], case, actor=signed_in(request))
        messages.success(request, _("The other case has been merged into this one."))
        return redirect("cases:overview", pk)
    add_form_errors(request, form)
    return redirect("cases:change", pk)


def _titles(codes: list[str]) -> list[str]:
    """Titles of lexicon concepts in the reader's language."""
    return [in_language(concepts()[code].title) for code in codes if code in concepts()]


def _differences(form: ChangeForm, now: Case, submitted: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Fields in conflict: label, stored value, submitted value."""
    differing = []
    for name, path in DIFFERS.items():
        stored = getattr(now, path)
        stored = stored() if callable(stored) else stored
        submitted_value = submitted[name]
        if name == "priority":
            submitted_value = dict(form.fields[name].choices).get(submitted_value, submitted_value)  # type: ignore[attr-defined]
        if getattr(now, name) != submitted[name]:
            differing.append((str(form.fields[name].label), str(stored or "—"), str(submitted_value or "—")))
    return differing or [("", "", "")]

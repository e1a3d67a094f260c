"""A case at a glance, and what is changed of it as a whole."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS, PHYSICIANS
from apps.accounts.untrusted_input import whole_number
from apps.cases import alarms, casework, discordance, foretelling, similarity
from apps.cases import statements as stating
from apps.cases.access import models_permitted
from apps.cases.casework import Changed
from apps.cases.forms import ChangeForm, MergeForm, StatementForm
from apps.cases.models import Case, Discordance, PredictionKind, Statement, StatementKind, StatementStatus, Summary
from apps.cases.nlp.lexicon import concepts
from apps.cases.queries import statements, tasks
from apps.cases.values import trends
from apps.cases.views.common import acting, back, case_of, problems, shown
from apps.cases.views.values import trend_row
from apps.inference.models import in_language
from apps.jobs.models import State

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
    """Everything that one has to know first."""
    case = case_of(request, pk)
    user = signed_in(request)
    context: dict[str, Any] = {
        **summary_context(case),
        "statements": [(StatementKind(kind).label, kind, rows) for kind, rows in statements(case).items()],
        "statement_form": StatementForm(),
        "alarms": alarms.look(case, user=user),
        "snoozes": alarms.SNOOZES,
        "tasks": [task for task in tasks(case) if task.done_at is None][:6],
        "studies": case.studies.order_by("-received_at"),
        "discordances": discordances(case) if models_permitted(case.patient) else [],
        "risk": foretelling.answered(case, PredictionKind.DETERIORATION),
        "joined": foretelling.answered(case, PredictionKind.CASE_RISK),
        "vitals": [row for row in map(trend_row, trends(case)) if row["flag"]][:8],
        "alike": [(one, _titles(one.shared)) for one in similarity.nearest(user, case)],
    }
    return shown(request, case, "overview", context)


@role_required(*CLINICIANS)
@require_GET
def summary(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The summary alone, while it is being made."""
    case = case_of(request, pk)
    return shown(request, case, "overview", summary_context(case), part="_summary")


@role_required(*CLINICIANS)
@require_http_methods(["GET", "POST"])
@acting
def change(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Change a case; if somebody else has, both versions are shown and nothing is lost."""
    case = case_of(request, pk)
    initial = {name: getattr(case, name) for name in casework.CHANGEABLE} | {"revision": case.revision}
    form = ChangeForm(request.POST or None, case=case, initial=initial)
    differences: list[tuple[str, str, str]] = []
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in casework.CHANGEABLE}
        try:
            casework.change(case, revision=form.cleaned_data["revision"], actor=signed_in(request), **given)
        except Changed as conflict:
            differences = _differences(form, conflict.now, given)
            again = request.POST.copy()
            again["revision"] = str(conflict.now.revision)
            form.data = again
            messages.warning(request, str(conflict))
        else:
            messages.success(request, _("Saved."))
            return redirect("cases:overview", pk)
    context = {"form": form, "differences": differences, "merge_form": MergeForm(case=case)}
    status = 409 if differences else 422 if request.method == "POST" else 200
    return shown(request, case, "overview", context, part="change", status=status)


@role_required(*PHYSICIANS)
@require_POST
@acting
def set_open(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Close or open again."""
    case = case_of(request, pk)
    verb = casework.close if request.POST.get("to") == "closed" else casework.reopen
    if verb(case, actor=signed_in(request)):
        messages.success(request, _("The case is closed.") if verb is casework.close else _("The case is open again."))
    return redirect("cases:overview", pk)


@role_required(*PHYSICIANS)
@require_POST
@acting
def merge(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Take another case of the same patient into this one."""
    case = case_of(request, pk)
    form = MergeForm(request.POST, case=case)
    if form.is_valid():
        casework.merge(form.cleaned_data["source"], case, actor=signed_in(request))
        messages.success(request, _("The other case was merged into this one."))
        return redirect("cases:overview", pk)
    problems(request, form)
    return redirect("cases:change", pk)


@role_required(*CLINICIANS)
@require_POST
@acting
def state(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Add a problem, an allergy or a medication."""
    case = case_of(request, pk)
    form = StatementForm(request.POST)
    if not form.is_valid():
        problems(request, form)
        return back(request, pk)
    given = form.cleaned_data
    code, text = _coded(given["kind"], given["text"])
    name = "reaction" if given["kind"] == StatementKind.ALLERGY else "dose"
    stating.state(
        case,
        StatementKind(given["kind"]),
        text=text,
        code=code,
        since=given["since"],
        actor=signed_in(request),
        **{name: given["dose"]},
    )
    messages.success(request, _("Saved."))
    return back(request, pk)


@role_required(*CLINICIANS)
@require_POST
@acting
def set_statement(request: HttpRequest, pk: uuid.UUID, statement_id: uuid.UUID) -> HttpResponse:
    """Resolved, active again, or entered in error."""
    statement = get_object_or_404(
        Statement.objects.select_related("case__patient"), pk=statement_id, case=case_of(request, pk)
    )
    if request.POST.get("to") in StatementStatus.values:
        stating.set_status(statement, StatementStatus(request.POST["to"]), actor=signed_in(request))
    return back(request, pk)


@role_required(*CLINICIANS)
@require_POST
@acting
def settle(request: HttpRequest, pk: uuid.UUID, discordance_id: uuid.UUID) -> HttpResponse:
    """Somebody has looked at note and image."""
    row = get_object_or_404(
        Discordance.objects.select_related("case__patient"), pk=discordance_id, case=case_of(request, pk)
    )
    discordance.settle(row, actor=signed_in(request))
    return back(request, pk)


@role_required(*CLINICIANS)
@require_POST
@acting
def act_on_alarm(request: HttpRequest, pk: uuid.UUID, alarm_id: uuid.UUID) -> HttpResponse:
    """Quiet for some minutes, or ended."""
    from apps.cases.models import Alarm

    alarm = get_object_or_404(
        Alarm.objects.select_related("case__patient", "rule"), pk=alarm_id, case=case_of(request, pk)
    )
    minutes = whole_number(request.POST.get("minutes"))
    if minutes in alarms.SNOOZES:
        alarms.snooze(alarm, minutes, actor=signed_in(request))
    else:
        alarms.finish(alarm, actor=signed_in(request))
    return back(request, pk)


@role_required(*CLINICIANS)
@require_GET
def codes(request: HttpRequest) -> JsonResponse:
    """ICD-10-CM codes for a field that completes what is typed."""
    found = stating.codes_like(request.GET.get("q", "")[:80])
    return JsonResponse({"codes": [[row.code, row.title] for row in found]})


def summary_context(case: Case) -> dict[str, Any]:
    """The newest finished summary, and whether another one is under way."""
    rows = Summary.objects.filter(case=case).select_related("case")
    return {
        "summary": rows.filter(state=State.SUCCEEDED).first(),
        "summing": rows.filter(state__in=[State.QUEUED, State.RUNNING]).exists(),
        "summary_problem": rows.filter(state__in=[State.REFUSED, State.FAILED]).first(),
        "ai_permitted": models_permitted(case.patient),
    }


def discordances(case: Case) -> list[dict[str, Any]]:
    """Contradictions that nobody has settled, with both sides."""
    rows = Discordance.objects.filter(case=case, settled_at=None).select_related(
        "finding__analysis__package", "finding__analysis__series__study", "concept__reading__note__case", "case"
    )
    return [
        {
            "row": row,
            "finding": row.finding,
            "percent": 100 * row.finding.probability,
            "note": row.concept.reading.note,
            "denies": row.concept.negated,
            "text": row.concept.reading.note.text[max(row.concept.start - 60, 0) : row.concept.end + 60],
        }
        for row in rows
    ]


def _titles(codes: list[str]) -> list[str]:
    """Of concepts, in the reader's language."""
    return [in_language(concepts()[code].title) for code in codes if code in concepts()]


def _coded(kind: str, text: str) -> tuple[str, str]:
    """Code and title of ``J18.9 Pneumonia, unspecified organism``; other text has no code."""
    first, _space, _rest = text.strip().partition(" ")
    title = stating.title_of(first.upper()) if kind == StatementKind.PROBLEM else ""
    return (first.upper(), title) if title else ("", text)


def _differences(form: ChangeForm, now: Case, given: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Field, what is stored, what was typed."""
    found = []
    for name, path in DIFFERS.items():
        stored = getattr(now, path)
        stored = stored() if callable(stored) else stored
        typed = dict(form.fields[name].choices).get(given[name], given[name]) if name == "priority" else given[name]  # type: ignore[attr-defined]
        if getattr(now, name) != given[name]:
            found.append((str(form.fields[name].label), str(stored or "—"), str(typed or "—")))
    return found or [("", "", "")]

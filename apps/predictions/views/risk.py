"""Risk page: predictions, their drivers, what-if questions and alarm rules."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS, PHYSICIANS
from apps.explainability.drawing import charts
from apps.jobs.errors import UserError
from apps.jobs.models import State
from apps.predictions import alarms, prediction_requests
from apps.predictions.forms import RuleForm
from apps.predictions.models import AlarmRule, Prediction, PredictionKind
from apps.records.access import models_permitted
from apps.records.case_pages import add_form_errors, get_case, redirect_back, render_case_page, show_user_errors
from apps.records.models import Case
from apps.terminology.lexicon import concepts
from apps.terminology.localisation import in_language

SLIDERS = 8


@role_required(*CLINICIANS)
@require_GET
def risk(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the risk over the hours with its range, its drivers and what-if sliders."""
    case = get_case(request, pk)
    user = signed_in(request)
    context = {
        **_figures(case),
        "rules": AlarmRule.objects.filter(care_team__in=case.patient.care_teams.all(), active=True).select_related(
            "care_team"
        ),
        "rule_form": RuleForm(),
        "alarms": alarms.open_alarms(case, user=user),
        "snoozes": alarms.SNOOZES,
        "chart_texts": {
            "risk": _("Risk"),
            "band": _("range of five models"),
            "hour": _("hours since admission"),
            "threshold": _("threshold"),
        },
        "what_if_texts": {
            "asking": _("Calculating …"),
            "failed": _("The model did not respond. Try again."),
            "answer": _("now: {before} %, with these values: {after} %"),
        },
    }
    return render_case_page(request, case, "risk", context)


@role_required(*CLINICIANS)
@require_GET
def figures(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Fragment with the predictions, polled while they run."""
    case = get_case(request, pk)
    return render_case_page(request, case, "risk", _figures(case), template="predictions/_risk.html")


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def ask(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Request predictions of every kind; failed ones are retried."""
    case = get_case(request, pk)
    for kind in PredictionKind:
        if prediction_requests.package_for(kind) is not None:
            prediction_requests.request(case, kind, actor=signed_in(request))
    return redirect("predictions:risk", pk)


@role_required(*CLINICIANS)
@require_POST
def what_if(request: HttpRequest, pk: uuid.UUID) -> JsonResponse:
    """Submit a what-if question; the client polls the URL in ``answer``."""
    case = get_case(request, pk)
    values: dict[str, float] = {}
    try:
        for name, text in request.POST.items():
            if name.startswith("v-") and text:
                values[name[2:]] = float(str(text))
        question = prediction_requests.what_if(case, values, actor=signed_in(request))
    except ValueError:
        return JsonResponse({"problem": _("Enter a number.")}, status=422)
    except UserError as refusal:
        return JsonResponse({"problem": str(refusal)}, status=422)
    from django.urls import reverse

    return JsonResponse({"answer": reverse("predictions:what-if-answer", args=[pk, question.pk])}, status=202)


@role_required(*CLINICIANS)
@require_GET
def what_if_answer(request: HttpRequest, pk: uuid.UUID, question_id: uuid.UUID) -> JsonResponse:
    """Return the state and result of the user's own what-if question."""
    case = get_case(request, pk)
    question = get_object_or_404(Prediction, pk=question_id, case=case, asker=signed_in(request))
    answer = question.answer if question.state == State.SUCCEEDED else {}
    return JsonResponse(
        {"state": question.state, "reason": question.reason, "risk": answer.get("risk"), "band": answer.get("band")}
    )


@role_required(*PHYSICIANS)
@require_POST
@show_user_errors
def set_rule(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Create or change an alarm rule of the user's team."""
    case, user = get_case(request, pk), signed_in(request)
    form = RuleForm(request.POST)
    team = case.patient.care_teams.filter(members=user).first()
    if not form.is_valid() or team is None:
        add_form_errors(request, form)
        return redirect("predictions:risk", pk)
    alarms.set_rule(
        team, form.cleaned_data["what"], above=form.cleaned_data["above"], below=form.cleaned_data["below"], actor=user
    )
    alarms.evaluate(case)
    messages.success(request, _("The rule now applies to all patients of %(team)s.") % {"team": team})
    return redirect("predictions:risk", pk)


@role_required(*PHYSICIANS)
@require_POST
@show_user_errors
def stop_rule(request: HttpRequest, pk: uuid.UUID, rule_id: uuid.UUID) -> HttpResponse:
    """Deactivate an alarm rule."""
    case = get_case(request, pk)
    rule = get_object_or_404(AlarmRule, pk=rule_id, care_team__in=case.patient.care_teams.all())
    alarms.stop_rule(rule, actor=signed_in(request))
    return redirect_back(request, pk)


def _figures(case: Case) -> dict[str, Any]:
    """Template context of the predictions."""
    newest = {kind: prediction_requests.newest(case, kind) for kind in PredictionKind}
    answers = {kind: prediction_requests.answered(case, kind) for kind in PredictionKind}
    course = answers[PredictionKind.DETERIORATION]
    joined, following = answers[PredictionKind.CASE_RISK], answers[PredictionKind.NEXT_EVENT]
    return {
        "ai_permitted": models_permitted(case.patient),
        "waiting": any(row is not None and not row.finished for row in newest.values()),
        "refused": [row for row in newest.values() if row is not None and row.state in (State.REFUSED, State.FAILED)],
        "nothing": not any(newest.values()),
        "course": course,
        **(_trajectory_context(course) if course else {}),
        "joined": joined,
        **(_fusion_context(joined) if joined else {}),
        "following": _following(following) if following else [],
        "following_of": following,
    }


def _trajectory_context(prediction: Prediction) -> dict[str, Any]:
    answer = prediction.answer
    variables = {variable["code"]: variable for variable in prediction.package.card["variables"]}
    drivers = answer.get("drivers", {})
    rows = drivers.get("variables", [])
    strongest = max((abs(value) for row in rows for value in row["by_stretch"]), default=0.0) or 1.0
    stretches = (
        [
            f"{start}–{min(start + drivers['stretch'], answer['hour'])}"
            for start in range(0, answer["hour"], drivers["stretch"])
        ]
        if rows
        else []
    )
    named = [(in_language(variables[row["code"]]["title"]), row) for row in rows]
    steps = [(title, row["value"]) for title, row in named if abs(row["value"]) >= 0.005][:8]
    rest = (
        drivers.get("output", 0)
        - drivers.get("base", 0)
        - drivers.get("person", 0)
        - sum(value for _title, value in steps)
    )
    if rows:
        steps += [(_("Age, sex, body size"), drivers["person"]), (_("all other values"), rest)]
    return {
        "percent": 100 * answer["risk"],
        "least": 100 * answer["band"][0],
        "most": 100 * answer["band"][1],
        "points": {"course": answer["course"], "threshold": answer["threshold"]},
        "table": [(hour, 100 * value, 100 * low, 100 * high) for hour, value, low, high in answer["course"]][::-1],
        "bars": charts.waterfall(drivers["base"], steps, (_("no data"), _("this patient"))) if rows else [],
        "drivers": drivers,
        "stretches": stretches,
        "heat": [
            (
                title,
                100 * row["value"],
                [(100 * value, charts.highlight(value, strongest)) for value in row["by_stretch"]],
            )
            for title, row in named[:14]
        ],
        "sliders": _sliders(answer, variables, [row["code"] for row in rows]),
    }


def _sliders(answer: dict[str, Any], variables: dict[str, Any], order: list[str]) -> list[dict[str, Any]]:
    known = [code for code in order if code in answer["newest"]]
    sliders = []
    for code in known[:SLIDERS]:
        variable = variables[code]
        span = variable["high"] - variable["low"]
        step = next(step for step in (100, 10, 5, 1, 0.5, 0.1, 0.05, 0.01) if step <= span / 20 or step == 0.01)
        value = min(max(answer["newest"][code], variable["low"]), variable["high"])
        sliders.append({**variable, "title": in_language(variable["title"]), "value": round(value, 3), "step": step})
    return sliders


def _fusion_context(prediction: Prediction) -> dict[str, Any]:
    answer, titles = prediction.answer, prediction.package.card["fusion"]["titles"]
    steps = [(in_language(titles[name]), value) for name, value in answer["shares"].items()]
    return {
        "joined_percent": 100 * answer["risk"],
        "joined_bars": charts.waterfall(answer["base"], steps, (_("no sources"), _("total"))),
        "joined_missing": [in_language(titles[name]) for name in answer["missing"]],
        "grave": [in_language(concepts()[code].title) for code in answer.get("grave", []) if code in concepts()],
    }


def _following(prediction: Prediction) -> list[tuple[str, float]]:
    titles = {event["code"]: event["title"] for event in prediction.package.card["events"]}
    return [
        (in_language(titles[code]), 100 * share) for code, share in prediction.answer["following"][:4] if code in titles
    ]

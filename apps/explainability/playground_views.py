"""Pages of the playground for tabular and text models."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.actors import signed_in
from apps.explainability import playground
from apps.explainability.drawing import charts
from apps.explainability.forms import RowForm, TextForm
from apps.explainability.models import PlaygroundQuery
from apps.explainability.queries import text_answer
from apps.inference.models import PackageVersion
from apps.inference.packages.card import TABLES, TEXTS
from apps.jobs.models import State
from apps.terminology.localisation import in_language


@login_required
@require_http_methods(["GET", "POST"])
def give(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Show and process the input form of a model."""
    package = get_object_or_404(PackageVersion, name=name, version=version)
    if package.card["task"] not in (TABLES, TEXTS):
        raise Http404
    form = _form(package, request)
    if request.method == "POST" and form.is_valid():
        query = playground.submit(package, form.given, actor=signed_in(request))
        return redirect("explainability:trial", query.pk)
    context = {"package": package, "form": form, "intended_use": in_language(package.card["intended_use"])}
    return render(request, "explainability/try.html", context, status=422 if request.method == "POST" else 200)


@login_required
@require_GET
def show(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the result with its explanation; polled while it is computed."""
    query = get_object_or_404(playground.own_queries(signed_in(request)), pk=pk)
    drawn: dict[str, Any] = {}
    if query.state == State.SUCCEEDED:
        chosen = request.GET.get("by", "")
        drawn = (
            _row(query, chosen)
            if query.package.card["task"] == TABLES
            else text_answer(query.package, query.answer, chosen)
        )
    context = {"trial": query, "package": query.package, **drawn}
    page = "explainability/_trial.html" if request.headers.get("HX-Request") else "explainability/trial.html"
    return render(request, page, context)


def _form(package: PackageVersion, request: HttpRequest) -> Any:
    if package.card["task"] == TABLES:
        return RowForm(request.POST or None, features=package.card["features"])
    return TextForm(request.POST or None)


def _row(query: PlaygroundQuery, chosen: str) -> dict[str, Any]:
    """Charts of a row's explanation; ``chosen`` is the feature of the dependence plot."""
    card, answer = query.package.card, query.answer
    features = {feature["code"]: feature for feature in card["features"]}
    titles = {code: in_language(feature["title"]) for code, feature in features.items()}
    inputs = query.given["row"]
    strongest = sorted(answer["values"].items(), key=lambda item: -abs(item[1]))
    steps = [(f"{titles[code]} = {inputs[code]:g}", value) for code, value in strongest]
    chosen = chosen if chosen in features else strongest[0][0]
    codes = list(features)
    columns = list(zip(*answer["cohort"]["values"], strict=True))
    rows = list(zip(*answer["cohort"]["rows"], strict=True))
    reach = max(abs(value) for column in columns for value in column)
    index = codes.index(chosen)
    groups = [(in_language(card["groups"][code]), value) for code, value in answer["groups"].items()]
    return {
        "unit": in_language(card["target"]["unit"]),
        "target": in_language(card["target"]["title"]),
        "answer": answer,
        "bars": charts.waterfall(answer["base"], steps, (_("average of the background data"), _("this input"))),
        "force": charts.force(answer["base"], steps),
        "groups": charts.waterfall(answer["base"], groups, (_("average of the background data"), _("this input"))),
        "paths": [
            (titles[code], value, answer["path_values"][code]) for code, value in strongest if answer["path_values"]
        ],
        "compared": len(answer["cohort"]["rows"]),
        "swarm": [
            (titles[code], charts.beeswarm(columns[codes.index(code)], rows[codes.index(code)], reach=reach))
            for code, _value in strongest
        ],
        "reach": reach,
        "dependence": charts.scatter(rows[index], columns[index], answer["cohort"]["outputs"]),
        "dependence_of": features[chosen] | {"title": titles[chosen]},
        "dependence_ends": (min(columns[index]), max(columns[index])),
        "choices": [(code, titles[code], code == chosen) for code in codes],
        "decision": charts.decision(answer["base"], [value for _code, value in strongest], _others(answer, strongest)),
        "decision_names": [titles[code] for code, _value in reversed(strongest)],
    }


def _others(answer: dict[str, Any], strongest: list[tuple[str, float]]) -> list[list[float]]:
    """Attributions of the first background rows in the same order, for the decision plot."""
    codes = list(answer["values"])
    order = [codes.index(code) for code, _value in strongest]
    return [[row[index] for index in order] for row in answer["cohort"]["values"][:20]]

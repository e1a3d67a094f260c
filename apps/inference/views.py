"""Model cards as pages."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from apps.inference.models import PackageVersion, in_language
from apps.inference.queries import installed

METRICS = {
    "auroc_pneumonia": _("Area under the ROC curve, pneumonia against none"),
    "auroc_bacterial_vs_viral": _("Area under the ROC curve, bacterial against viral"),
    "sensitivity_pneumonia": _("Sensitivity for pneumonia at its threshold"),
    "specificity_pneumonia": _("Specificity for pneumonia at its threshold"),
    "accuracy_three_classes": _("Accuracy, three classes"),
    "ece_pneumonia": _("Expected calibration error, pneumonia (0 is best)"),
    "r2": _("Explained share of the variance (R²)"),
    "mean_absolute_error": _("Mean absolute error"),
    "accuracy": _("Accuracy"),
    "macro_f1": _("F1, mean of the classes"),
}
DATA = {"real": _("Real films"), "synthetic": _("Synthetic films"), "held back": _("Held back from training")}


@login_required
@require_GET
def model_list(request: HttpRequest) -> HttpResponse:
    """All installed packages."""
    return render(request, "inference/models.html", {"packages": installed()})


@login_required
@require_GET
def model_card(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """One package's card."""
    package = get_object_or_404(PackageVersion, name=name, version=version)
    return render(request, "inference/model_card.html", {"package": package, **_words(package.card)})


def _words(card: dict[str, Any]) -> dict[str, Any]:
    thresholds = card.get("thresholds", {})
    return {
        "card": card,
        "intended_use": in_language(card["intended_use"]),
        "population": in_language(card["population"]),
        "limits": [in_language(limit) for limit in card["limits"]],
        "labels": [
            {
                "title": in_language(label["title"]),
                "code": label["code"],
                "threshold": thresholds[label["code"]]["value"],
                "operating_point": in_language(thresholds[label["code"]]["operating_point"]),
            }
            for label in card.get("labels", [])
            if label["code"] in thresholds
        ],
        "features": [
            {**feature, "title": in_language(feature["title"]), "group": in_language(card["groups"][feature["group"]])}
            for feature in card.get("features", [])
        ],
        "measured": [
            {
                **part,
                "title": DATA.get(part["data"], part["data"]),
                "rows": [(METRICS.get(code, code), figure) for code, figure in part["values"].items()],
            }
            for part in card["metrics"]
        ],
    }

"""Pages of installed models and their cards."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from apps.inference.models import PackageVersion
from apps.inference.packages.card import TABLES, TEXTS
from apps.inference.queries import installed
from apps.terminology.localisation import in_language

METRICS = {
    "auroc_pneumonia": _("Area under the ROC curve, pneumonia vs none"),
    "auroc_bacterial_vs_viral": _("Area under the ROC curve, bacterial vs viral"),
    "sensitivity_pneumonia": _("Sensitivity for pneumonia at the threshold"),
    "specificity_pneumonia": _("Specificity for pneumonia at the threshold"),
    "accuracy_three_classes": _("Accuracy, three classes"),
    "ece_pneumonia": _("Expected calibration error, pneumonia (0 is best)"),
    "auroc_nodule": _("Area under the ROC curve, nodule vs none"),
    "auroc_nodule_below_16_mm": _("The same for nodules below 16 mm"),
    "sensitivity_nodule": _("Sensitivity for nodules at the threshold"),
    "specificity_nodule": _("Specificity for nodules at the threshold"),
    "ece_nodule": _("Expected calibration error (0 is best)"),
    "r2": _("Explained variance (R²)"),
    "mean_absolute_error": _("Mean absolute error"),
    "accuracy": _("Accuracy"),
    "macro_f1": _("F1, class average"),
    "auroc_macro": _("Area under the ROC curve, class average"),
    "auroc_death": _("Area under the ROC curve, in-hospital mortality, after 48 hours"),
    "auroc_death_hour_6": _("The same after 6 hours"),
    "auroc_death_hour_12": _("The same after 12 hours"),
    "auroc_death_hour_24": _("The same after 24 hours"),
    "auroc_death_hour_36": _("The same after 36 hours"),
    "average_precision_death": _("Average precision"),
    "event1_death": _("Lower of sensitivity and positive predictive value (Event 1 of the challenge)"),
    "ece_death": _("Expected calibration error (0 is best)"),
    "auroc_fusion": _("Area under the ROC curve, all available sources"),
    "auroc_fusion_with_values": _("The same where measurements exist"),
    "auroc_values_alone": _("Area under the ROC curve, measurements only"),
    "ece_fusion": _("Expected calibration error (0 is best)"),
    "next_first": _("Top-1 accuracy for the next event"),
    "next_in_three": _("Top-3 accuracy for the next event"),
    "pairs_first": _("Baseline, most frequent successor: top-1 accuracy"),
    "pairs_in_three": _("Baseline, most frequent successor: top-3 accuracy"),
    "ndcg_hybrid": _("nDCG@10 (1 is best)"),
    "recall_hybrid": _("Recall@3"),
    "ndcg_content": _("Baseline, features only: nDCG@10"),
    "recall_content": _("Baseline, features only: recall@3"),
    "ndcg_popularity": _("Baseline, popularity: nDCG@10"),
    "recall_popularity": _("Baseline, popularity: recall@3"),
    "ndcg_rules": _("Baseline, rule order: nDCG@10"),
    "recall_rules": _("Baseline, rule order: recall@3"),
    "gain_over_content": _("Gain in nDCG@10 over features only, paired"),
    "gain_over_popularity": _("Gain in nDCG@10 over popularity, paired"),
    "gain_over_rules": _("Gain in nDCG@10 over rule order, paired"),
}
DATA = {
    "real": _("Real X-rays"),
    "synthetic": _("Synthetic X-rays"),
    "drawn volumes": _("Simulated volumes"),
    "held back": _("Held out from training"),
    "cross-validation": _("Cross-validation"),
    "trees alone": _("Boosted trees only"),
    "course alone": _("GRU only"),
    "plain peer": _("Baseline: summary statistics, untuned boosting"),
    "drawn timelines": _("Simulated timelines"),
    "half simulated": _("Partly simulated"),
    "drawn people": _("Simulated people"),
    "own patients": _("Patients of this hospital"),
}


@login_required
@require_GET
def model_list(request: HttpRequest) -> HttpResponse:
    """List the installed packages."""
    return render(request, "inference/models.html", {"packages": installed()})


@login_required
@require_GET
def model_card(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Show a package's model card."""
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
        "variables": [{**variable, "title": in_language(variable["title"])} for variable in card.get("variables", [])],
        "tryable": card["task"] in (TABLES, TEXTS),
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

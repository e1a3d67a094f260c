"""Labels of zones, methods and metrics of explanations."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

ZONE_WORDS = {
    "right_upper": _("right upper zone"),
    "right_middle": _("right middle zone"),
    "right_lower": _("right lower zone"),
    "left_upper": _("left upper zone"),
    "left_middle": _("left middle zone"),
    "left_lower": _("left lower zone"),
    "mediastinum": _("heart and mediastinum"),
    "above": _("neck and shoulders"),
    "below": _("below the lungs"),
    "outside": _("chest wall and outside the body"),
}
STOPPED_WORDS = {
    "precise": _("the strongest regions have been estimated precisely enough"),
    "budget": _("the evaluation limit was reached"),
    "time": _("the time limit was reached; this is the best result so far"),
    "complete": _("the method ran to completion"),
}
MEASURE_WORDS = {
    "insertion": _("Output as the strongest regions are revealed first (insertion; higher is better)"),
    "deletion": _("Output as the strongest regions are hidden first (deletion; lower is better)"),
    "random": _("The same in random order"),
    "stability": _("Stability when slight noise is added to the image (correlation)"),
    "agreement": _("Agreement with expected gradients (correlation)"),
    "predictive_fidelity": _("Prediction of the output for images with random halves hidden (correlation)"),
    "estimate_fidelity": _("The same for the preliminary estimate"),
    "estimate_error": _("Deviation of the preliminary estimate from the sampled values (relative)"),
    "gap": _("Base value plus attributions minus the output"),
}
EXPLAINER_WORDS = {
    "stock": _("SHAP defaults: partition explainer with a blurred image"),
    "kernel": _("SHAP defaults: kernel explainer with the volume's mean"),
    "grad_cam": _("Grad-CAM (no Shapley values)"),
}
"""Baseline explainers, used in comparisons only."""
PLAIN_ZONES = {
    "right_upper": _("the upper part of the right lung"),
    "right_middle": _("the middle part of the right lung"),
    "right_lower": _("the lower part of the right lung"),
    "left_upper": _("the upper part of the left lung"),
    "left_middle": _("the middle part of the left lung"),
    "left_lower": _("the lower part of the left lung"),
    "mediastinum": _("the middle of the chest"),
    "above": "",
    "below": "",
    "outside": "",
}
"""Plain-language zones for patients; zones outside the chest are omitted."""

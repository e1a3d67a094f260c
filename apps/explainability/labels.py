"""Words for the codes of explanations."""

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
    "precise": _("the strongest regions are known precisely enough"),
    "budget": _("the allowed number of evaluations was used up"),
    "time": _("the allowed time was used up; this is the best so far"),
    "complete": _("the method is complete"),
}
MEASURE_WORDS = {
    "insertion": _("Answer while the strongest regions are shown first (insertion, larger is better)"),
    "deletion": _("Answer while the strongest regions are hidden first (deletion, smaller is better)"),
    "random": _("The same in random order"),
    "stability": _("Same picture with a little noise on the film (correlation)"),
    "agreement": _("Agreement with expected gradients (correlation)"),
    "foretells": _("Foretells the answers to films with random halves hidden (correlation)"),
    "estimate_foretells": _("The same for the first estimate"),
    "estimate_error": _("Distance of the first estimate from the sampled values (share of their size)"),
    "gap": _("Base value plus attributions less the answer"),
}
EXPLAINER_WORDS = {
    "stock": _("SHAP as it comes: partition explainer over a blurred film"),
    "kernel": _("SHAP as it comes: kernel explainer over the volume's mean"),
    "grad_cam": _("Grad-CAM (no Shapley values)"),
}
"""Explainers that are only compared with."""
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
"""For patients; places outside the chest say nothing to them."""

"""Which explainers serve which kind of model; also the web process asks, so nothing large is imported here."""

from __future__ import annotations

from apps.inference.packages.card import VOLUMES


def methods_for(task: str) -> tuple[str, ...]:
    """Which explainers serve a package of this task.

    The ``shap`` library's partition explainer asks in twice as many contexts with each cut, too many for a nodule in a
    volume, and its DeepSHAP knows no layer that takes the strongest place: neither explains volumes.
    """
    if task == VOLUMES:
        return ("sampled", "gradient")
    return ("sampled", "amortised", "partition", "gradient", "deep")

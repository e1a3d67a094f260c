"""How much one explanation may cost."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from apps.explainability.models import Method

EVALUATIONS = {Method.SAMPLED: 512, Method.AMORTISED: 2, Method.PARTITION: 500, Method.GRADIENT: 256, Method.DEEP: 8}
"""Forward passes of single inputs that each method may ask for."""


def budget_of(method: Method) -> dict[str, Any]:
    """The budget as an explanation's parameters: ``evaluations``, and ``seconds`` after which it stops."""
    evaluations = min(EVALUATIONS[method], settings.EXPLANATION_EVALUATIONS)
    return {"evaluations": evaluations, "seconds": settings.EXPLANATION_SECONDS}

"""Who may see an explanation: who may see its study."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.explainability.models import Explanation
from apps.imaging.access import visible_to as visible_studies


def visible_to(actor: Actor | None) -> QuerySet[Explanation]:
    """Explanations of findings on studies that this actor sees."""
    return Explanation.objects.filter(finding__analysis__series__study__in=visible_studies(actor))

"""Who may see an explanation: who may see its study."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.explainability.models import Explanation
from apps.imaging.access import visible_to as visible_studies
from apps.patients.access import permitted_filter
from apps.patients.models import Purpose


def visible_to(actor: Actor | None) -> QuerySet[Explanation]:
    """Explanations of findings that this actor sees."""
    consented = permitted_filter(Purpose.AI, "finding__analysis__series__study__patient__")
    return Explanation.objects.filter(consented, finding__analysis__series__study__in=visible_studies(actor))

"""Who may see an explanation: who may see its study."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from apps.accounts.actors import Actor
from apps.explainability.models import Explanation, OcclusionQuery
from apps.imaging.access import visible_to as visible_studies
from apps.patients.access import permitted_filter
from apps.patients.models import Purpose


def visible_to(actor: Actor | None) -> QuerySet[Explanation]:
    """Explanations of findings that this actor sees."""
    return Explanation.objects.filter(_of_seen(actor))


def visible_probes(actor: Actor | None) -> QuerySet[OcclusionQuery]:
    """Questions about findings that this actor sees."""
    return OcclusionQuery.objects.filter(_of_seen(actor)).select_related("finding")


def _of_seen(actor: Actor | None) -> Q:
    consented = permitted_filter(Purpose.AI, "finding__analysis__series__study__patient__")
    return Q(consented) & Q(finding__analysis__series__study__in=visible_studies(actor))

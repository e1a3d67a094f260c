"""Access to explanations: follows access to the study and the patient's consent to AI."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from apps.accounts.actors import Actor
from apps.explainability.models import Explanation, OcclusionQuery
from apps.imaging.access import visible_to as visible_studies
from apps.patients.access import permitted_filter
from apps.patients.models import Purpose


def visible_to(actor: Actor | None) -> QuerySet[Explanation]:
    """Explanations of the findings this actor may see."""
    return Explanation.objects.filter(_visible_filter(actor))


def visible_occlusion_queries(actor: Actor | None) -> QuerySet[OcclusionQuery]:
    """Occlusion queries about the findings this actor may see."""
    return OcclusionQuery.objects.filter(_visible_filter(actor)).select_related("finding")


def _visible_filter(actor: Actor | None) -> Q:
    consented = permitted_filter(Purpose.AI, "finding__analysis__series__study__patient__")
    return Q(consented) & Q(finding__analysis__series__study__in=visible_studies(actor))

"""Who may see an explanation: who may see its study."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from apps.accounts.actors import Actor
from apps.explainability.models import Explanation, ExplanationRelease, OcclusionQuery
from apps.imaging.access import visible_to as visible_studies
from apps.patients.access import permitted_filter, visible_patient_filter
from apps.patients.models import Purpose


def visible_to(actor: Actor | None) -> QuerySet[Explanation]:
    """Explanations of findings that this actor sees."""
    return Explanation.objects.filter(_of_seen(actor))


def visible_probes(actor: Actor | None) -> QuerySet[OcclusionQuery]:
    """Questions about findings that this actor sees."""
    return OcclusionQuery.objects.filter(_of_seen(actor)).select_related("finding")


def visible_released(actor: Actor | None) -> QuerySet[ExplanationRelease]:
    """What was told and not withdrawn: to the patient it is about, and to clinicians who see the study."""
    path = "explanation__finding__analysis__series__study__patient"
    seen = Q(permitted_filter(Purpose.AI, f"{path}__")) & visible_patient_filter(actor, f"{path}_id")
    rows = ExplanationRelease.objects.filter(seen, withdrawn_at=None)
    return rows.select_related(
        "released_by", "explanation__finding__analysis__package", "explanation__finding__analysis__series__study"
    )


def _of_seen(actor: Actor | None) -> Q:
    consented = permitted_filter(Purpose.AI, "finding__analysis__series__study__patient__")
    return Q(consented) & Q(finding__analysis__series__study__in=visible_studies(actor))

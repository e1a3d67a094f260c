"""Access to analyses and findings: follows access to the study and the patient's consent to AI."""

from __future__ import annotations

import uuid
from typing import Any

import rules
from django.db.models import QuerySet

from apps.accounts.access import is_physician
from apps.accounts.actors import Actor
from apps.imaging.access import can as can_study
from apps.imaging.access import visible_to as visible_studies
from apps.inference.models import Analysis, Finding
from apps.jobs.errors import Refusal
from apps.patients.access import permits, permitted_filter
from apps.patients.models import Purpose


@rules.predicate
def sees_study(actor: Any, finding: Finding) -> bool:
    study = finding.analysis.series.study
    kept = finding.analysis.series.deleted_at is None and finding.instance.deleted_at is None
    return kept and permits(study.patient, Purpose.AI) and can_study(actor, "imaging.view_study", study)


rules.add_perm("inference.review_finding", is_physician & sees_study)


def can(actor: Actor | None, permission: str, finding: Finding) -> bool:
    """Whether the actor has the permission; False without an actor."""
    return actor is not None and bool(rules.has_perm(permission, actor, finding))


def visible_to(actor: Actor | None) -> QuerySet[Analysis]:
    """Analyses of the studies this actor may see, if the patient consents to AI."""
    consented = permitted_filter(Purpose.AI, "series__study__patient__")
    return Analysis.objects.filter(consented, series__deleted_at=None, series__study__in=visible_studies(actor))


def visible_findings(actor: Actor | None) -> QuerySet[Finding]:
    """Findings of the studies this actor may see, if the patient consents to AI."""
    consented = permitted_filter(Purpose.AI, "analysis__series__study__patient__")
    kept = Finding.objects.filter(analysis__series__deleted_at=None, instance__deleted_at=None)
    return kept.filter(consented, analysis__series__study__in=visible_studies(actor))


def consented(analysis_id: uuid.UUID) -> bool:
    """Whether the analysis' patient currently consents to AI."""
    permitted = permitted_filter(Purpose.AI, "series__study__patient__")
    return Analysis.objects.filter(permitted, pk=analysis_id).exists()


def require_ai_consent(analysis_id: uuid.UUID) -> None:
    """Check consent before a job.

    Raises:
        Refusal: ``no_ai_consent`` if the analysis' patient does not consent to AI.
    """
    if not consented(analysis_id):
        raise Refusal("no_ai_consent")

"""Who may see and review what a model found: who may see the study."""

from __future__ import annotations

from typing import Any

import rules
from django.db.models import QuerySet

from apps.accounts.access import is_doctor
from apps.accounts.actors import Actor
from apps.imaging.access import can as can_study
from apps.imaging.access import visible_to as visible_studies
from apps.inference.models import Analysis, Finding


@rules.predicate
def sees_study(actor: Any, finding: Finding) -> bool:
    return can_study(actor, "imaging.view_study", finding.analysis.series.study)


rules.add_perm("inference.review_finding", is_doctor & sees_study)


def can(actor: Actor | None, permission: str, finding: Finding) -> bool:
    """Whether the actor may; nobody may nothing."""
    return actor is not None and bool(rules.has_perm(permission, actor, finding))


def visible_to(actor: Actor | None) -> QuerySet[Analysis]:
    """Analyses of studies that this actor sees."""
    return Analysis.objects.filter(series__study__in=visible_studies(actor))


def visible_findings(actor: Actor | None) -> QuerySet[Finding]:
    """Findings of those analyses."""
    return Finding.objects.filter(analysis__series__study__in=visible_studies(actor))

"""Scheduling of explanations."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import User
from apps.explainability.evaluation_budget import budget_of
from apps.explainability.explainers.image.methods import methods_for
from apps.explainability.models import Explanation, Method
from apps.inference.access import visible_findings
from apps.inference.models import Analysis, Finding
from apps.jobs import leases
from apps.jobs.enqueue import enqueue_job
from apps.jobs.models import State, Urgency


def schedule_explanations(analysis_id: uuid.UUID | str) -> list[Explanation]:
    """Queue an explanation of each finding above its threshold; idempotent.

    Negative findings are only explained on request: compared with a healthy image there is no evidence to show.
    """
    findings = Finding.objects.filter(analysis_id=analysis_id, positive=True, is_abnormal=True)
    return [get_or_create_explanation(finding) for finding in findings.select_related("analysis")]


def schedule_missing() -> int:
    """Queue explanations of the last day's analyses whose event was lost; return their number."""
    since = timezone.now() - timedelta(days=1)
    unexplained = Finding.objects.filter(positive=True, is_abnormal=True, explanations=None)
    missed = Analysis.objects.filter(state=State.SUCCEEDED, finished_at__gte=since, findings__in=unexplained)
    return sum(len(schedule_explanations(pk)) for pk in set(missed.values_list("pk", flat=True)[:200]))


def request_explanation(finding: Finding, *, actor: User, method: Method = Method.SAMPLED) -> Explanation:
    """Request an explanation on behalf of a clinician; a failed one is retried.

    Raises:
        PermissionError: if the actor does not see the study.
        ValueError: if the method does not support the model.
    """
    if method not in methods_for(finding.analysis.package.card["task"]):
        raise ValueError(f"{finding.analysis.package} is not explained by this method")
    if not visible_findings(actor).filter(pk=finding.pk).exists():
        raise PermissionError("only users who see the study may request explanations")
    explanation = get_or_create_explanation(finding, method=method, urgency=Urgency.INTERACTIVE)
    leases.retry(explanation)
    audit.record(actor, "explanation.requested", explanation)
    return explanation


def get_or_create_explanation(
    finding: Finding, *, method: Method = Method.SAMPLED, urgency: int | None = None
) -> Explanation:
    """Return the finding's explanation by this method, queueing it if there is none."""
    with transaction.atomic():
        explanation, created = Explanation.objects.get_or_create(
            finding=finding,
            method=method,
            parameters=budget_of(method),
            defaults={"urgency": finding.analysis.urgency if urgency is None else urgency},
        )
        if created:
            enqueue_job(explanation)
    return explanation

"""Which findings get an explanation."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import User
from apps.explainability.explainers.image.methods import methods_for
from apps.explainability.models import Explanation, Method
from apps.inference.access import visible_findings
from apps.inference.models import Analysis, Finding
from apps.jobs import leases
from apps.jobs.enqueue import enqueue_job
from apps.jobs.models import State, Urgency

EVALUATIONS = {Method.SAMPLED: 512, Method.AMORTISED: 2, Method.PARTITION: 500, Method.GRADIENT: 256, Method.DEEP: 8}
"""How many planes each method may ask for."""


def plan(analysis_id: uuid.UUID | str) -> list[Explanation]:
    """Ask for an explanation of each finding above its threshold; asking twice adds nothing.

    What is not found is not explained unless somebody asks: compared with a healthy film there is nothing.
    """
    findings = Finding.objects.filter(analysis_id=analysis_id, positive=True, is_abnormal=True)
    return [ask(finding) for finding in findings.select_related("analysis")]


def schedule_missing() -> int:
    """Plan for the last day's analyses whose bell was not heard; how many explanations were added."""
    since = timezone.now() - timedelta(days=1)
    unexplained = Finding.objects.filter(positive=True, is_abnormal=True, explanations=None)
    missed = Analysis.objects.filter(state=State.SUCCEEDED, finished_at__gte=since, findings__in=unexplained)
    return sum(len(plan(pk)) for pk in set(missed.values_list("pk", flat=True)[:200]))


def request(finding: Finding, *, actor: User, method: Method = Method.SAMPLED) -> Explanation:
    """A doctor asks to have a finding explained, or a failed explanation tried again.

    Raises:
        PermissionError: if the doctor does not see the study.
        ValueError: for a method that does not explain such models.
    """
    if method not in methods_for(finding.analysis.package.card["task"]):
        raise ValueError(f"{finding.analysis.package} is not explained by this method")
    if not visible_findings(actor).filter(pk=finding.pk).exists():
        raise PermissionError("only who sees the study asks for explanations")
    explanation = ask(finding, method=method, urgency=Urgency.INTERACTIVE)
    leases.retry(explanation)
    audit.record(actor, "explanation.requested", explanation)
    return explanation


def ask(finding: Finding, *, method: Method = Method.SAMPLED, urgency: int | None = None) -> Explanation:
    """The finding's explanation by this method; a hundred askers get the same one."""
    with transaction.atomic():
        explanation, created = Explanation.objects.get_or_create(
            finding=finding,
            method=method,
            parameters=_parameters(method),
            defaults={"urgency": finding.analysis.urgency if urgency is None else urgency},
        )
        if created:
            enqueue_job(explanation)
    return explanation


def _parameters(method: Method) -> dict[str, Any]:
    return {"evaluations": EVALUATIONS[method], "seconds": settings.EXPLANATION_SECONDS}

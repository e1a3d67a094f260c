"""Which findings get an explanation."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import User
from apps.explainability.models import Explanation, Method
from apps.inference.access import visible_findings
from apps.inference.models import Analysis, Finding
from apps.jobs import leases
from apps.jobs.enqueue import enqueue_job
from apps.jobs.models import State

PARAMETERS = {"evaluations": 500, "masker": "blur"}


def plan(analysis_id: uuid.UUID | str) -> list[Explanation]:
    """Ask for an explanation of each finding above its threshold; asking twice adds nothing."""
    findings = Finding.objects.filter(analysis_id=analysis_id, positive=True).select_related("analysis")
    return [_ask(finding) for finding in findings]


def plan_missing() -> int:
    """Plan for the last day's analyses whose bell was not heard; how many explanations were added."""
    since = timezone.now() - timedelta(days=1)
    missed = Analysis.objects.filter(
        state=State.SUCCEEDED, finished_at__gte=since, findings__positive=True, findings__explanations=None
    )
    return sum(len(plan(pk)) for pk in set(missed.values_list("pk", flat=True)[:200]))


def request(finding: Finding, *, actor: User) -> Explanation:
    """A doctor asks to have a finding explained, or a failed explanation tried again.

    Raises:
        PermissionError: if the doctor does not see the study.
    """
    if not visible_findings(actor).filter(pk=finding.pk).exists():
        raise PermissionError("only who sees the study asks for explanations")
    explanation = _ask(finding)
    leases.retry(explanation)
    audit.record(actor, "explanation.requested", explanation)
    return explanation


def _ask(finding: Finding) -> Explanation:
    with transaction.atomic():
        explanation, created = Explanation.objects.get_or_create(
            finding=finding,
            method=Method.PARTITION,
            parameters=PARAMETERS,
            defaults={"urgency": finding.analysis.urgency},
        )
        if created:
            enqueue_job(explanation)
    return explanation

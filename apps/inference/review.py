"""Review of findings by physicians, and retry of failed analyses."""

from __future__ import annotations

from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import User
from apps.inference.access import can, visible_to
from apps.inference.events import FindingReviewed
from apps.inference.models import Analysis, Finding, Review, Verdict
from apps.jobs import leases
from apps.jobs.events import publish


def review(finding: Finding, verdict: Verdict, *, correction: str = "", comment: str = "", actor: User) -> Review:
    """Store a physician's review of a finding; repeating the same review adds nothing.

    Raises:
        PermissionError: if the physician does not see the study.
        ValueError: if a correction names no label of the model, or is missing.
    """
    if not can(actor, "inference.review_finding", finding):
        raise PermissionError("only physicians who see the study may review its findings")
    codes = {label["code"] for label in finding.analysis.package.card["labels"]} | {"other"}
    correction = correction if verdict == Verdict.CORRECT else ""
    if verdict == Verdict.CORRECT and correction not in codes:
        raise ValueError("correction must be a label of the model, or other")
    with transaction.atomic():
        last = finding.reviews.filter(reviewer=actor).first()
        if last and (last.verdict, last.correction, last.comment) == (verdict, correction, comment):
            return last
        stored = Review.objects.create(
            finding=finding, reviewer=actor, verdict=verdict, correction=correction, comment=comment
        )
        audit.record(actor, "finding.reviewed", finding, verdict=str(verdict))
        publish(FindingReviewed(finding.analysis_id))
    return stored


def retry(analysis: Analysis, *, actor: User) -> bool:
    """Queue a failed analysis again; return False if it has not failed.

    Raises:
        PermissionError: if the actor does not see the study.
    """
    if not visible_to(actor).filter(pk=analysis.pk).exists():
        raise PermissionError("only users who see the study may retry its analyses")
    again = leases.retry(analysis)
    if again:
        audit.record(actor, "analysis.retried", analysis)
    return again

"""Playground: submit inputs to tabular and text models."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.accounts import audit
from apps.accounts.models import User
from apps.explainability.models import PlaygroundQuery
from apps.inference.models import PackageVersion
from apps.inference.output_checks import require_valid_answer
from apps.jobs.enqueue import enqueue_job
from apps.jobs.models import Urgency

MAX_QUERIES = 20
"""Queries stored per user; older ones are deleted."""


def submit(package: PackageVersion, inputs: dict[str, Any], *, actor: User) -> PlaygroundQuery:
    """Submit a row (``{"row": …}``) or a text (``{"text": …}``) to a model."""
    query = PlaygroundQuery(package=package, asker=actor, urgency=Urgency.INTERACTIVE)
    query.given = inputs
    query.save()
    audit.record(actor, "model.tried", package)
    old = own_queries(actor).values_list("pk", flat=True)[MAX_QUERIES:]
    PlaygroundQuery.objects.filter(pk__in=list(old)).delete()
    enqueue_job(query)
    return query


def own_queries(actor: User) -> QuerySet[PlaygroundQuery]:
    """The actor's own queries, newest first; users never see each other's."""
    return PlaygroundQuery.objects.filter(asker=actor).select_related("package")


def store_answer(query: PlaygroundQuery, answer: dict[str, Any]) -> None:
    """Store the result.

    Raises:
        UserError: ``model_output_invalid``.
    """
    require_valid_answer(answer)
    query.answer = answer
    query.save(update_fields=["answer"])

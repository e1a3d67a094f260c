"""Trying a table or text model: ask, answer, look."""

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

KEPT = 20
"""Trials of one person that are kept; older ones are removed."""


def ask(package: PackageVersion, given: dict[str, Any], *, actor: User) -> PlaygroundQuery:
    """Give a model a row (``{"row": …}``) or a text (``{"text": …}``)."""
    trial = PlaygroundQuery(package=package, asker=actor, urgency=Urgency.INTERACTIVE)
    trial.given = given
    trial.save()
    audit.record(actor, "model.tried", package)
    old = of(actor).values_list("pk", flat=True)[KEPT:]
    PlaygroundQuery.objects.filter(pk__in=list(old)).delete()
    enqueue_job(trial)
    return trial


def of(actor: User) -> QuerySet[PlaygroundQuery]:
    """The actor's own trials, newest first; nobody sees another's."""
    return PlaygroundQuery.objects.filter(asker=actor).select_related("package")


def store_answer(trial: PlaygroundQuery, answer: dict[str, Any]) -> None:
    """Store the answer.

    Raises:
        UserError: ``model_output_invalid``.
    """
    require_valid_answer(answer)
    trial.answer = answer
    trial.save(update_fields=["answer"])

"""Which model packages look at a series that has arrived."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.db import transaction

from apps.imaging.models import Series
from apps.inference.models import Analysis, PackageVersion
from apps.inference.runtimes.suitability import Unsuitable, check_series
from apps.jobs.enqueue import enqueue_job
from apps.jobs.models import State, Urgency


def on_study_received(*, series_id: uuid.UUID, urgent: bool, **kwargs: Any) -> None:
    """The bell from imaging."""
    route(Series.objects.get(pk=series_id), urgent=urgent)


def route(series: Series, *, urgent: bool) -> list[Analysis]:
    """Ask every active package for an analysis of the series as it stands now.

    A package that does not read such series answers at once with a refusal. Images that arrive
    while an analysis is still queued join it; later ones make a new one.
    """
    return [_ask(series, package, urgent) for package in PackageVersion.objects.filter(active=True)]


def _ask(series: Series, package: PackageVersion, urgent: bool) -> Analysis:
    try:
        check_series(package.card["input"], modality=series.modality, body_part=series.body_part)
    except Unsuitable as problem:
        refusal = {"state": State.REFUSED, "reason_code": problem.code, "reason_parameters": problem.parameters}
        analysis, _ = Analysis.objects.get_or_create(
            series=series, package=package, input_digest="series", parameters={}, defaults=refusal
        )
        return analysis
    digest = input_digest(series)
    with transaction.atomic():
        waiting = Analysis.objects.filter(series=series, package=package, state=State.QUEUED, attempt=0)
        joined = waiting.exclude(input_digest=digest).select_for_update().first()
        if joined is not None and not _exists(series, package, digest):
            Analysis.objects.filter(pk=joined.pk).update(input_digest=digest)
            return joined
        analysis, created = Analysis.objects.get_or_create(
            series=series,
            package=package,
            input_digest=digest,
            parameters={},
            defaults={"urgency": Urgency.INTERACTIVE if urgent else Urgency.BACKGROUND},
        )
        if created:
            enqueue_job(analysis)
    return analysis


def _exists(series: Series, package: PackageVersion, digest: str) -> bool:
    return Analysis.objects.filter(series=series, package=package, input_digest=digest).exists()


def input_digest(series: Series) -> str:
    """A digest of which images the series holds."""
    contents = sorted(series.instances.values_list("content_index", flat=True))
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()

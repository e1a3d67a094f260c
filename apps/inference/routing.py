"""Routing of received series to model packages."""

from __future__ import annotations

import hashlib

from django.db import transaction

from apps.imaging.models import Series
from apps.imaging.queries import drawable
from apps.inference.engines.input_checks import InputRejected, check_series
from apps.inference.models import Analysis, PackageVersion
from apps.inference.packages.card import IMAGES
from apps.jobs.enqueue import enqueue_job
from apps.jobs.models import State, Urgency
from apps.patients.access import permits
from apps.patients.models import Patient, Purpose


def route(series: Series, *, urgent: bool) -> list[Analysis]:
    """Queue an analysis of the series by every active package that accepts it.

    If none accepts it, those for its modality (or else all) get an analysis refused with the reason, so that users see
    why there is no finding. Images that arrive while an analysis is queued are included in it; later ones create a new
    analysis. Without the patient's consent nothing is queued or stored, nor for a series without images.
    """
    if not permits(series.study.patient, Purpose.AI) or not drawable(series.instances).exists():
        return []
    packages = list(PackageVersion.objects.filter(active=True, card__task__in=IMAGES))
    problems = {package: _rejection(series, package) for package in packages}
    readers = [package for package, problem in problems.items() if problem is None]
    near = [package for package, problem in problems.items() if problem and problem.code != "wrong_modality"]
    return [request_analysis(series, package, urgent) for package in readers or near or packages]


def route_patient(patient: Patient) -> int:
    """Queue the analyses of a patient who has just consented; return the number of series."""
    rows = list(Series.objects.filter(study__patient=patient).select_related("study__patient"))
    for series in rows:
        route(series, urgent=True)
    Analysis.objects.filter(series__study__patient=patient, state=State.REFUSED, reason_code="no_ai_consent").update(
        state=State.QUEUED, attempt=0, reason_code="", reason_parameters={}, finished_at=None
    )
    for analysis in Analysis.objects.filter(series__study__patient=patient, state=State.QUEUED):
        enqueue_job(analysis)
    return len(rows)


def request_analysis(series: Series, package: PackageVersion, urgent: bool) -> Analysis:
    """Queue an analysis, or return the one that exists; a refused one if the package does not accept the series."""
    problem = _rejection(series, package)
    if problem is not None:
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


def _rejection(series: Series, package: PackageVersion) -> InputRejected | None:
    try:
        check_series(package.card["input"], modality=series.modality, body_part=series.body_part)
    except InputRejected as problem:
        return problem
    return None


def _exists(series: Series, package: PackageVersion, digest: str) -> bool:
    return Analysis.objects.filter(series=series, package=package, input_digest=digest).exists()


def input_digest(series: Series) -> str:
    """Digest of the series' SOP Instance UIDs; the content stored under a UID never changes."""
    contents = sorted(drawable(series.instances).values_list("sop_instance_uid", flat=True))
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()

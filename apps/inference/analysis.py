"""Steps of an analysis job: claim a batch, load and check the images, store findings."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import System
from apps.imaging.dicom.attributes import age_at, read_attributes
from apps.imaging.dicom.parser import Unreadable
from apps.imaging.models import Instance
from apps.imaging.models import Urgency as StudyUrgency
from apps.imaging.queries import drawable, grey_frame, header_of
from apps.imaging.urgency import raise_urgency
from apps.inference import post_inference_hooks
from apps.inference.engines.input_checks import (
    ImageAttributes,
    InputRejected,
    check_age,
    check_film,
    check_pixels,
    check_slice,
)
from apps.inference.events import AnalysisCompleted
from apps.inference.installed_packages import package_of
from apps.inference.models import Analysis, Finding, PackageVersion
from apps.inference.output_checks import checked_probabilities
from apps.inference.packages.card import VOLUMES, Package, PackageRefused
from apps.inference.volumes import read_volume
from apps.jobs.enqueue import enqueue_job
from apps.jobs.errors import Refusal, UserError
from apps.jobs.events import publish
from apps.jobs.leases import claim, renew
from apps.jobs.models import State

BATCH = 16


@dataclass
class Film:
    """One model input of an analysis: an image, or a volume filed under its middle slice.

    Attributes:
        pixels: grey values; None if the input was rejected.
        plane: the preprocessed input array, set by inference.
        refusal: why the input was rejected, if it was.
        probabilities: calibrated, per label; set by inference.
    """

    instance: Instance
    pixels: Any = None
    plane: Any = None
    refusal: InputRejected | None = None
    probabilities: Sequence[float] | None = None


@dataclass
class Work:
    """Working state of a claimed analysis: inputs, timings in seconds, volume geometry."""

    analysis: Analysis
    films: list[Film] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    geometry: dict[str, Any] = field(default_factory=dict)

    @property
    def refusal(self) -> Refusal | None:
        """The first rejection if no input was assessed; None if at least one was."""
        if any(film.probabilities is not None for film in self.films):
            return None
        reason = next((film.refusal for film in self.films if film.refusal), InputRejected("pixels_unreadable"))
        return Refusal(reason.code, **reason.parameters)


def claim_batch(pk: uuid.UUID | str) -> list[Analysis]:
    """Claim an analysis and queued analyses of the same package, to share a batch.

    A later message for an analysis claimed this way does nothing. A volume whose slices are still arriving is deferred.
    """
    if _still_arriving(pk):
        return []
    first = claim(Analysis, pk)
    if first is None:
        return []
    if first.package.card["task"] == VOLUMES:  # volumes are large, and other series may still be arriving
        return [first]
    waiting = Analysis.objects.filter(
        package=first.package_id, state=State.QUEUED, urgency=first.urgency, parameters=first.parameters
    ).order_by("queued_at")
    others = [claim(Analysis, other) for other in waiting.values_list("pk", flat=True)[: BATCH - 1]]
    return [first, *(other for other in others if other is not None)]


def _still_arriving(pk: uuid.UUID | str) -> bool:
    """Whether a volume received a slice within VOLUME_SETTLE_SECONDS; if so, its job is requeued with a delay."""
    since = timezone.now() - timedelta(seconds=settings.VOLUME_SETTLE_SECONDS)
    arriving = Analysis.objects.filter(
        pk=pk, state=State.QUEUED, package__card__task=VOLUMES, series__instances__received_at__gt=since
    ).first()
    if arriving is not None:
        enqueue_job(arriving, delay=settings.VOLUME_SETTLE_SECONDS)
    return arriving is not None


def verified_package(row: PackageVersion) -> Package:
    """Return the verified package of a row.

    Raises:
        UserError: ``package_missing`` if its files are missing or were changed.
    """
    try:
        return package_of(row)
    except PackageRefused as error:
        raise UserError("package_missing") from error


def load(analysis: Analysis, package: Package) -> Work:
    """Read the analysis' images, rejecting those outside the package's intended input."""
    started = time.perf_counter()
    work = Work(analysis)
    instances = list(drawable(analysis.series.instances).select_related("series__study__patient"))
    if package.task == VOLUMES:
        work.films = [_volume(work, package, instances)] if instances else []
    else:
        work.films = [_film(instance, package) for instance in instances]
    work.seconds["load"] = time.perf_counter() - started
    renew(analysis, progress=30)
    return work


def _film(instance: Instance, package: Package) -> Film:
    film = Film(instance)
    try:
        _check_age(instance, package)
        check_film(package.card["input"], _image_attributes(instance))
        film.pixels = grey_frame(instance).pixels
        check_pixels(film.pixels)
    except InputRejected as refusal:
        film.refusal = refusal
    except Unreadable:
        film.refusal = InputRejected("pixels_unreadable")
    return film


def _volume(work: Work, package: Package, instances: list[Instance]) -> Film:
    film = Film(instances[0])
    try:
        _check_age(instances[0], package)
        for instance in instances:
            check_slice(package.card["input"], _image_attributes(instance))
        read = read_volume(work.analysis.series, package)
        check_pixels(read.pixels)
        film.instance, film.pixels, work.geometry = read.instance, read.pixels, read.geometry
    except InputRejected as refusal:
        film.refusal = refusal
    except Unreadable:
        film.refusal = InputRejected("pixels_unreadable")
    return film


def _check_age(instance: Instance, package: Package) -> None:
    """Check the patient's age at the study, by header and record, against the card.

    Raises:
        InputRejected: see :func:`check_age`.
    """
    declared = package.card.get("patient_age")
    if not declared:
        return
    study = instance.series.study
    attributes = read_attributes(header_of(instance))
    day = attributes.study_date or study.study_date
    check_age(declared, [attributes.age, age_at(attributes.birth_date, day), age_at(study.patient.birth_date, day)])


def save_findings(work: Work, package: Package) -> None:
    """Store the findings and publish AnalysisCompleted; runs in the caller's transaction.

    Raises:
        UserError: ``model_output_invalid``; then nothing is stored.
    """
    started = time.perf_counter()
    assessed = [film for film in work.films if film.probabilities is not None]
    findings = [finding for film in assessed for finding in _findings(work.analysis, film, package)]
    Finding.objects.bulk_create(findings)
    work.seconds["write"] = time.perf_counter() - started
    Analysis.objects.filter(pk=work.analysis.pk).update(
        seconds={stage: round(value, 4) for stage, value in work.seconds.items()}, geometry=work.geometry
    )
    _raise_urgency(work.analysis, findings)
    publish(AnalysisCompleted(work.analysis.pk))


def run_post_inference_hooks(work: Work, package: Package) -> None:
    """Run the other apps' hooks on the model's inputs while they are in memory."""
    planes = {film.instance.pk: film.plane for film in work.films if film.probabilities is not None}
    post_inference_hooks.run(work.analysis, package, planes)


def _image_attributes(instance: Instance) -> ImageAttributes:
    return ImageAttributes(
        modality=instance.series.modality,
        body_part=instance.series.body_part,
        view=instance.view_position,
        photometric=instance.photometric,
        rows=instance.rows,
        columns=instance.columns,
        frames=instance.frames,
    )


def _findings(analysis: Analysis, film: Film, package: Package) -> list[Finding]:
    """Build one finding per label; a subtype is only positive if the label it requires is."""
    assert film.probabilities is not None
    positive: set[str] = set()
    findings = []
    probabilities = checked_probabilities(film.probabilities)
    for position, (label, probability) in enumerate(zip(package.labels, probabilities, strict=True)):
        if probability >= label.threshold and (not label.requires or label.requires in positive):
            positive.add(label.code)
        finding = Finding(
            analysis=analysis,
            instance=film.instance,
            label=label.code,
            position=position,
            probability=probability,
            threshold=label.threshold,
            positive=label.code in positive,
            is_abnormal=label.finding,
        )
        findings.append(finding)
    return findings


def _raise_urgency(analysis: Analysis, findings: list[Finding]) -> None:
    actor = System("finding above threshold")
    if any(finding.positive and finding.is_abnormal for finding in findings):
        raise_urgency(analysis.series.study_id, StudyUrgency.HIGH, actor=actor, because=str(analysis.package))
    audit.record(System("series received"), "analysis.succeeded", analysis)

"""Background job of analyses."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence

from apps.inference import analysis
from apps.inference.access import require_ai_consent
from apps.inference.analysis import Work, verified_package
from apps.inference.engines.assessment import assess
from apps.inference.engines.input_checks import InputRejected
from apps.inference.models import Analysis
from apps.inference.packages.card import Package
from apps.jobs.runner import JobRunner


class Analyse(JobRunner[Analysis, Work, Work]):
    """Run a model on a series, batched with other queued analyses of the same package."""

    model = Analysis

    def claim(self, pk: uuid.UUID | str) -> list[Analysis]:
        """Claim the analysis and those that share its batch."""
        return analysis.claim_batch(pk)

    def check(self, job: Analysis) -> None:
        """Refuse if the patient has not consented to AI."""
        require_ai_consent(job.pk)

    def load(self, job: Analysis) -> Work:
        """Read the images, rejecting those outside the package's intended input."""
        return analysis.load(job, verified_package(job.package))

    def run_batch(self, loaded: Sequence[tuple[Analysis, Work]]) -> Iterable[tuple[Analysis, Work | Exception]]:
        """Run one forward pass over all images; analyses without an assessable image are refused."""
        package = verified_package(loaded[0][0].package)
        _infer([work for _job, work in loaded], package)
        return [(job, work.refusal or work) for job, work in loaded]

    def save(self, job: Analysis, result: Work) -> None:
        """Store the findings and publish AnalysisCompleted."""
        analysis.save_findings(result, verified_package(job.package))

    def after(self, job: Analysis, result: Work) -> None:
        """Run the post-inference hooks while the images are in memory."""
        analysis.run_post_inference_hooks(result, verified_package(job.package))


def _infer(works: Sequence[Work], package: Package) -> None:
    films = [film for work in works for film in work.films if film.refusal is None]
    started = time.perf_counter()
    for film, assessed in zip(films, assess(package, [film.pixels for film in films]), strict=True):
        film.plane, answer = assessed.plane, assessed.answer
        film.refusal = answer if isinstance(answer, InputRejected) else None
        film.probabilities = None if isinstance(answer, InputRejected) else answer.tolist()
    share = (time.perf_counter() - started) / max(len(films), 1)
    for work in works:
        work.seconds["infer"] = share * sum(film.pixels is not None for film in work.films)


analyse = Analyse.as_task()

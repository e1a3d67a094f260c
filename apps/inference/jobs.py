"""The worker's side of analyses."""

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
    """Ask a model about a series, together with others that wait for the same model."""

    model = Analysis

    def claim(self, pk: uuid.UUID | str) -> list[Analysis]:
        """The analysis and those that share its batch."""
        return analysis.claim_batch(pk)

    def check(self, job: Analysis) -> None:
        """Refuse without consent."""
        require_ai_consent(job.pk)

    def load(self, job: Analysis) -> Work:
        """Read the images, and sort out those that the model was not made for."""
        return analysis.load(job, verified_package(job.package))

    def run_batch(self, loaded: Sequence[tuple[Analysis, Work]]) -> Iterable[tuple[Analysis, Work | Exception]]:
        """One forward pass over the images of all of them; who has no image that can be assessed is refused."""
        package = verified_package(loaded[0][0].package)
        _infer([work for _job, work in loaded], package)
        return [(job, work.refusal or work) for job, work in loaded]

    def save(self, job: Analysis, result: Work) -> None:
        """Store the findings, and tell who waits for them."""
        analysis.save_findings(result, verified_package(job.package))

    def after(self, job: Analysis, result: Work) -> None:
        """Draw first pictures while the images are in memory."""
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

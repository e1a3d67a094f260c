"""The worker's side of explanations."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from apps.explainability import explanation, occlusion, playground, scheduling
from apps.explainability.explainers.image.attribution import Budget
from apps.explainability.explainers.image.coalition_game import Regions
from apps.explainability.explainers.image.explainable import explainable
from apps.explainability.explainers.image.quality import measure
from apps.explainability.explainers.image.stored_attribution import accounts
from apps.explainability.explainers.registry import answer
from apps.explainability.models import Explanation, OcclusionQuery, PlaygroundQuery
from apps.inference.access import require_ai_consent
from apps.inference.analysis import verified_package
from apps.jobs.runner import JobRunner
from apps.jobs.tasks import short_task


@short_task("explainability.schedule_missing")
def schedule_missing() -> None:
    """Ask for explanations of the last day's findings that have none."""
    scheduling.schedule_missing()


class ExplainFindings(JobRunner[Explanation, None, explanation.Checked]):
    """Explain the findings on one film: each better picture is shown as it comes, the last one is measured."""

    model = Explanation

    def claim(self, pk: Any) -> list[Explanation]:
        """The evaluations of one run explain all outputs: those of the same film are claimed together."""
        return explanation.claim_together(super().claim(pk))

    def check(self, job: Explanation) -> None:
        """Refuse without consent."""
        require_ai_consent(job.finding.analysis_id)

    def load(self, job: Explanation) -> None:
        """The film is read once for all of them, in :meth:`run_batch`."""

    def run_batch(
        self, loaded: Sequence[tuple[Explanation, None]]
    ) -> Iterable[tuple[Explanation, explanation.Checked]]:
        """Explain all outputs that are asked for at once."""
        return _explain([job for job, _nothing in loaded])

    def save(self, job: Explanation, result: explanation.Checked) -> None:
        """Store the last arrays, figures and measures of quality."""
        explanation.store_checked(job, result)


class AnswerProbe(JobRunner[OcclusionQuery, Any, Any]):
    """What the model says without an area that a clinician painted."""

    model = OcclusionQuery

    def check(self, job: OcclusionQuery) -> None:
        """Refuse without consent."""
        require_ai_consent(job.finding.analysis_id)

    def load(self, job: OcclusionQuery) -> Any:
        """What the model was given: (rows, columns), or (slices, rows, columns)."""
        package = verified_package(job.finding.analysis.package)
        return package, explanation.pixels_of(job.finding, package)

    def run(self, job: OcclusionQuery, loaded: Any) -> Any:
        """Probabilities, (labels,), with the area replaced by a healthy reference."""
        package, pixels = loaded
        film = explainable(package)
        plane = film.model.prepare(pixels)
        game = film.game(plane, regions=Regions(occlusion.grid(job), plane.shape))
        return game.values(occlusion.coalition(job))[0, 0]

    def save(self, job: OcclusionQuery, result: Any) -> None:
        """Store the probabilities by label."""
        occlusion.store_answer(job, result)


class AnswerTrial(JobRunner[PlaygroundQuery, Any, Any]):
    """Answer and explain a row or a text that somebody gave a model."""

    model = PlaygroundQuery

    def load(self, job: PlaygroundQuery) -> Any:
        """The package and what it is asked."""
        return verified_package(job.package), job.given

    def run(self, job: PlaygroundQuery, loaded: Any) -> Any:
        """The answer with its attributions."""
        return answer(*loaded)

    def save(self, job: PlaygroundQuery, result: Any) -> None:
        """Store the answer."""
        playground.store_answer(job, result)


def _explain(jobs: list[Explanation]) -> Iterator[tuple[Explanation, explanation.Checked]]:
    started = time.perf_counter()
    finding, method, parameters = jobs[0].finding, jobs[0].method, jobs[0].parameters
    film = explainable(verified_package(finding.analysis.package))
    plane = film.model.prepare(explanation.pixels_of(finding, film.model.package))
    loaded = time.perf_counter()
    game = film.game(plane, asked=lambda done: explanation.report_progress(jobs, done))
    thresholds = {job.finding.position: job.finding.threshold for job in jobs}
    budget = Budget(evaluations=parameters["evaluations"], seconds=parameters["seconds"])
    for attribution in film.explain(game, method, tuple(thresholds), budget):
        by_output = accounts(attribution, plane, film)
        seconds = {"load": loaded - started, "explain": time.perf_counter() - loaded}
        explanation.show(jobs, by_output, seconds)
    before = time.perf_counter()
    measured = measure(film, film.game(plane), attribution, method=method, thresholds=thresholds, budget=budget)
    seconds["measure"] = time.perf_counter() - before
    for job in jobs:
        position = job.finding.position
        yield job, explanation.Checked(by_output[position], measured[position], seconds)


explain = ExplainFindings.as_task()
probe = AnswerProbe.as_task()
try_one = AnswerTrial.as_task()

"""Background jobs of explanations, occlusion queries and the playground."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from apps.explainability import explanation, occlusion, playground, scheduling
from apps.explainability.explainers.image.attribution import Budget
from apps.explainability.explainers.image.coalition_game import Regions
from apps.explainability.explainers.image.explainable import explainable
from apps.explainability.explainers.image.quality import measure
from apps.explainability.explainers.image.stored_attribution import stored_attributions
from apps.explainability.explainers.registry import answer
from apps.explainability.models import Explanation, OcclusionQuery, PlaygroundQuery
from apps.inference.access import require_ai_consent
from apps.inference.analysis import verified_package
from apps.jobs.runner import JobRunner
from apps.jobs.tasks import short_task


@short_task("explainability.schedule_missing")
def schedule_missing() -> None:
    """Queue missing explanations of the last day's findings."""
    scheduling.schedule_missing()


class ExplainFindings(JobRunner[Explanation, None, explanation.CheckedExplanation]):
    """Explain the findings on one image: intermediate results are stored, the final one is evaluated."""

    model = Explanation

    def claim(self, pk: Any) -> list[Explanation]:
        """Claim all explanations of the same image, since the evaluations of one run explain all outputs."""
        return explanation.claim_together(super().claim(pk))

    def check(self, job: Explanation) -> None:
        """Refuse if the patient has not consented to AI."""
        require_ai_consent(job.finding.analysis_id)

    def load(self, job: Explanation) -> None:
        """Load nothing: :meth:`run_batch` reads the image once for all jobs."""

    def run_batch(
        self, loaded: Sequence[tuple[Explanation, None]]
    ) -> Iterable[tuple[Explanation, explanation.CheckedExplanation]]:
        """Explain all requested outputs together."""
        return _explain([job for job, _nothing in loaded])

    def save(self, job: Explanation, result: explanation.CheckedExplanation) -> None:
        """Store the final arrays, figures and faithfulness metrics."""
        explanation.store_checked(job, result)


class AnswerProbe(JobRunner[OcclusionQuery, Any, Any]):
    """Answer an occlusion query: the model's output with a painted area hidden."""

    model = OcclusionQuery

    def check(self, job: OcclusionQuery) -> None:
        """Refuse if the patient has not consented to AI."""
        require_ai_consent(job.finding.analysis_id)

    def load(self, job: OcclusionQuery) -> Any:
        """The package and the model's input, (rows, columns) or (slices, rows, columns)."""
        package = verified_package(job.finding.analysis.package)
        return package, explanation.pixels_of(job.finding, package)

    def run(self, job: OcclusionQuery, loaded: Any) -> Any:
        """Probabilities (labels,) with the area replaced by a healthy reference."""
        package, pixels = loaded
        film = explainable(package)
        plane = film.model.prepare(pixels)
        game = film.game(plane, regions=Regions(occlusion.grid(job), plane.shape))
        return game.values(occlusion.coalition(job))[0, 0]

    def save(self, job: OcclusionQuery, result: Any) -> None:
        """Store the probabilities by label."""
        occlusion.store_answer(job, result)


class AnswerTrial(JobRunner[PlaygroundQuery, Any, Any]):
    """Predict and explain a row or text submitted in the playground."""

    model = PlaygroundQuery

    def load(self, job: PlaygroundQuery) -> Any:
        """The package and the submitted input."""
        return verified_package(job.package), job.given

    def run(self, job: PlaygroundQuery, loaded: Any) -> Any:
        """The prediction with its attributions."""
        return answer(*loaded)

    def save(self, job: PlaygroundQuery, result: Any) -> None:
        """Store the result."""
        playground.store_answer(job, result)


def _explain(jobs: list[Explanation]) -> Iterator[tuple[Explanation, explanation.CheckedExplanation]]:
    started = time.perf_counter()
    finding, method, parameters = jobs[0].finding, jobs[0].method, jobs[0].parameters
    film = explainable(verified_package(finding.analysis.package))
    plane = film.model.prepare(explanation.pixels_of(finding, film.model.package))
    loaded = time.perf_counter()
    game = film.game(plane, on_evaluations=lambda done: explanation.report_progress(jobs, done))
    thresholds = {job.finding.position: job.finding.threshold for job in jobs}
    budget = Budget(evaluations=parameters["evaluations"], seconds=parameters["seconds"])
    for attribution in film.explain(game, method, tuple(thresholds), budget):
        by_output = stored_attributions(attribution, plane, film)
        seconds = {"load": loaded - started, "explain": time.perf_counter() - loaded}
        explanation.store_intermediate(jobs, by_output, seconds)
    before = time.perf_counter()
    measured = measure(film, film.game(plane), attribution, method=method, thresholds=thresholds, budget=budget)
    seconds["measure"] = time.perf_counter() - before
    for job in jobs:
        position = job.finding.position
        yield job, explanation.CheckedExplanation(by_output[position], measured[position], seconds)


explain = ExplainFindings.as_task()
probe = AnswerProbe.as_task()
try_one = AnswerTrial.as_task()

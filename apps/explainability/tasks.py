"""The worker's side of explanations."""

from __future__ import annotations

import time

from apps.explainability import explanation, plan
from apps.explainability.explainers.partition import explain as explain_plane
from apps.inference.analysis import verified_package
from apps.inference.runtimes.loaded import runtime
from apps.jobs.leases import working
from apps.jobs.tasks import accelerator_task, short_task


@short_task("explainability.plan")
def plan_one(pk: str) -> None:
    """Ask for the explanations of an analysis."""
    plan.plan(pk)


@short_task("explainability.plan_missing")
def plan_missing() -> None:
    """Ask for what was missed."""
    plan.plan_missing()


@accelerator_task("explainability.explain")
def explain(pk: str) -> None:
    """Explain the findings on one film."""
    taken = explanation.take(pk)
    with working(*taken):
        if not taken:
            return
        started = time.perf_counter()
        model = runtime(verified_package(taken[0].finding.analysis.package))
        plane = model.prepare(explanation.film_of(taken[0]))
        loaded = time.perf_counter()
        result = explain_plane(
            model.probabilities,
            plane,
            evaluations=taken[0].parameters["evaluations"],
            progress=lambda done: explanation.tell_progress(taken, done),
        )
        seconds = {"load": loaded - started, "explain": time.perf_counter() - loaded}
        explanation.record(taken, result, seconds)

"""The worker's side of explanations."""

from __future__ import annotations

import time

from apps.explainability import explanation, plan, probing, trial
from apps.explainability.explainers.account import accounts
from apps.explainability.explainers.answering import answer
from apps.explainability.explainers.attribution import Budget
from apps.explainability.explainers.game import Regions
from apps.explainability.explainers.loaded import explainable
from apps.explainability.explainers.quality import measure
from apps.inference.analysis import verified_package
from apps.jobs.leases import working
from apps.jobs.tasks import accelerator_task, short_task


@short_task("explainability.plan_missing")
def plan_missing() -> None:
    """Ask for what was missed."""
    plan.plan_missing()


@accelerator_task("explainability.explain")
def explain(pk: str) -> None:
    """Explain the findings on one film, showing each better picture as it comes, and measure the last one."""
    taken = explanation.take(pk)
    with working(*taken):
        if taken:
            _explain(taken)


@accelerator_task("explainability.probe")
def probe(pk: str) -> None:
    """What the model says without an area that a doctor painted."""
    asked = probing.take(pk)
    with working(*asked):
        for question in asked:
            film = explainable(verified_package(question.finding.analysis.package))
            plane = film.model.prepare(explanation.pixels_of(question.finding, film.model.package))
            game = film.game(plane, regions=Regions(probing.grid(question), plane.shape))
            probing.record(question, game.values(probing.coalition(question))[0, 0])


@accelerator_task("explainability.try")
def try_one(pk: str) -> None:
    """Answer and explain a row or a text that somebody gave a model."""
    asked = trial.take(pk)
    with working(*asked):
        for question in asked:
            trial.record(question, answer(verified_package(question.package), question.given))


def _explain(taken: list[explanation.Explanation]) -> None:
    started = time.perf_counter()
    film = explainable(verified_package(taken[0].finding.analysis.package))
    plane = film.model.prepare(explanation.pixels_of(taken[0].finding, film.model.package))
    loaded = time.perf_counter()
    game = film.game(plane, asked=lambda done: explanation.tell_progress(taken, done))
    thresholds = {one.finding.position: one.finding.threshold for one in taken}
    budget = Budget(evaluations=taken[0].parameters["evaluations"], seconds=taken[0].parameters["seconds"])
    for found in film.explain(game, taken[0].method, tuple(thresholds), budget):
        kept = accounts(found, plane, film)
        seconds = {"load": loaded - started, "explain": time.perf_counter() - loaded}
        explanation.show(taken, kept, seconds)
    before = time.perf_counter()
    measured = measure(film, film.game(plane), found, method=taken[0].method, thresholds=thresholds, budget=budget)
    explanation.record(taken, kept, measured, {**seconds, "measure": time.perf_counter() - before})

"""The worker's side of analyses."""

from __future__ import annotations

import time

from apps.inference import analysis
from apps.inference.packages.card import Package
from apps.inference.runtimes.loaded import assess
from apps.inference.runtimes.suitability import Unsuitable
from apps.jobs.leases import working
from apps.jobs.tasks import accelerator_task


@accelerator_task("inference.analyse")
def analyse(pk: str) -> None:
    """Run an analysis, together with others that wait for the same package."""
    works = analysis.take(pk)
    with working(*(work.analysis for work in works)):
        if not works:
            return
        package = analysis.verified_package(works[0].analysis.package)
        works = [work for work in works if analysis.load(work, package)]
        _infer(works, package)
        for work in works:
            with working(work.analysis):  # what one film makes the model answer ends that one's analysis alone
                if analysis.record(work, package):
                    analysis.accompany(work, package)


def _infer(works: list[analysis.Work], package: Package) -> None:
    """One forward pass over the films of all the works."""
    films = [film for work in works for film in work.films if film.refusal is None]
    started = time.perf_counter()
    for film, assessed in zip(films, assess(package, [film.pixels for film in films]), strict=True):
        film.plane, answer = assessed.plane, assessed.answer
        film.refusal = answer if isinstance(answer, Unsuitable) else None
        film.probabilities = None if isinstance(answer, Unsuitable) else answer.tolist()
    share = (time.perf_counter() - started) / max(len(films), 1)
    for work in works:
        work.seconds["infer"] = share * sum(film.pixels is not None for film in work.films)

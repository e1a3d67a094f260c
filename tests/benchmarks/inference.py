"""Our runtime against a bare torch loop over the same model and batch, and what SHAP adds to its passes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import torch
from django.conf import settings

from apps.explainability.explainers.partition import explain
from apps.inference.packages.card import read_package
from apps.inference.runtimes.film import FilmRuntime
from tests.benchmarks.table import Row, paired_medians
from tests.factories import film_pixels

BATCH = 32


def measure() -> Iterator[Row]:
    runtime = FilmRuntime(read_package(settings.BASE_DIR / "apps/inference/bundled/cxr-pneumonia/1.1.0"))
    plane = runtime.prepare(film_pixels(3, "focal", 448))
    planes = np.stack([plane] * BATCH).astype(np.float32)
    inputs = torch.randn(BATCH, 1, *plane.shape).contiguous(memory_format=torch.channels_last)

    def bare() -> None:
        with torch.inference_mode():
            runtime.network(inputs)

    ours, peer = paired_medians(lambda: runtime.run(planes), bare)
    yield Row(
        f"inference, batch {BATCH}, films/s", f"{BATCH / ours:.0f}", f"bare torch loop {BATCH / peer:.0f}", peer / ours
    )
    yield _explanation(runtime, plane)


def _explanation(runtime: FilmRuntime, plane: np.ndarray) -> Row:
    spent = 0.0

    def timed(batch: np.ndarray) -> np.ndarray:
        nonlocal spent
        started = time.perf_counter()
        answer = runtime.probabilities(batch)
        spent += time.perf_counter() - started
        return answer

    explain(timed, plane, evaluations=60)  # compiles shap's kernels
    spent = 0.0
    started = time.perf_counter()
    result = explain(timed, plane, evaluations=500)
    total = time.perf_counter() - started
    return Row(
        f"explanation, {result.evaluations} evaluations, s",
        f"{total:.2f}",
        f"its forward passes {spent:.2f}",
        spent / total,
    )

"""Our runtime against a bare torch loop over the same model and batch, and what explanations cost and are worth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from django.conf import settings

from apps.explainability.explainers.image import faithfulness
from apps.explainability.explainers.image.attribution import Budget
from apps.explainability.explainers.image.explainable import Explainable, explainable
from apps.inference.package_reader import read_package
from tests.benchmarks.table import Row, median_seconds, paired_medians
from tests.factories import film_pixels

BATCH = 32
EVALUATIONS = 514
"""512 coalitions and the two ends."""


def measure() -> Iterator[Row]:
    film = explainable(read_package(settings.BASE_DIR / "apps/inference/bundled/cxr-pneumonia/1.1.1"))
    runtime = film.model
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
    yield from _explanations(film, plane)


def _explanations(film: Explainable, plane: np.ndarray) -> Iterator[Row]:
    def explained(method: str, masker: str, evaluations: int) -> np.ndarray:
        game = film.game(plane, masker=masker)
        *_, last = film.explain(game, method, (0,), Budget(evaluations=evaluations, precision=0.0))
        return last.by_region(film.game(plane))[0, 0]

    passes = torch.from_numpy(np.stack([plane] * BATCH).astype(np.float32))

    def forward_passes() -> None:
        with torch.inference_mode():
            for part in passes.repeat(EVALUATIONS // BATCH + 1, 1, 1)[:EVALUATIONS].split(BATCH):
                film.model.answer(part)

    def worth(method: str, masker: str, evaluations: int) -> float:
        regions = explained(method, masker, evaluations)
        return faithfulness.curves(film.game(plane), regions, 0).advantage

    sampled, peer = paired_medians(lambda: explained("sampled", "", 512), forward_passes, runs=7)
    yield Row(
        f"explanation, {EVALUATIONS} evaluations, s", f"{sampled:.2f}", f"its forward passes {peer:.2f}", sampled / peer
    )
    first = median_seconds(lambda: explained("amortised", "", 2))
    stock = median_seconds(lambda: explained("partition", "blur", 500), runs=3, warmup=1)
    yield Row(
        "first picture, 2 evaluations, ms", f"{1000 * first:.0f}", f"stock SHAP, 502: {1000 * stock:.0f}", first / stock
    )
    ours, theirs = worth("amortised", "", 2), worth("partition", "blur", 500)
    yield Row("its insertion less deletion, this film", f"{ours:.2f}", f"stock SHAP: {theirs:.2f}")

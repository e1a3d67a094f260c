"""Benchmark of a package's explainers over a set of images.

The evaluation is independent of the explainers: its regions are finer than theirs (24 × 24), and hidden regions
are replaced by a real or synthetic healthy image of another patient, which no explainer used.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import shap
import torch

from apps.explainability.explainers.image import faithfulness, gradients
from apps.explainability.explainers.image.attribution import Attribution, Budget
from apps.explainability.explainers.image.baselines import nearest, thumbnails
from apps.explainability.explainers.image.coalition_game import Game, Regions
from apps.explainability.explainers.image.explainable import SEED, Explainable
from apps.explainability.explainers.image.methods import methods_for
from apps.inference.packages.card import VOLUMES

JUDGE, VOLUME_JUDGE = (24, 24), (12, 16, 16)
"""Regions of the evaluation along each axis."""
SANITY_FILMS = 8
FEW = 50
"""Maximum number of images for costly explainers."""
COSTLY = ("partition", "gradient", "deep", "kernel")
EXPLAINERS: dict[str, tuple[str, str, int]] = {
    "amortised": ("amortised", "", 2),
    "sampled": ("sampled", "", 256),
    "partition": ("partition", "", 500),
    "gradient": ("gradient", "", 256),
    "deep": ("deep", "", 8),
    "stock": ("partition", "blur", 500),
    "grad_cam": ("grad_cam", "", 8),
    "kernel": ("kernel", "mean", 500),
}
"""Name to (method, baseline (empty: the package's best), evaluations)."""


@dataclass(frozen=True)
class Sample:
    """A preprocessed image or volume, with the mask of the finding if known."""

    plane: npt.NDArray[np.uint8]
    truth: npt.NDArray[np.bool_] | None = None


def names_for(film: Explainable) -> tuple[str, ...]:
    """Explainers that can be compared on a package: its own and the baselines."""
    own = methods_for(film.model.package.task)
    peers = ("grad_cam", "kernel") if film.model.package.task == VOLUMES else ("grad_cam",)
    served = {*own, *peers} - ({"amortised"} if film.amortised is None else set())
    return tuple(name for name, (method, *_) in EXPLAINERS.items() if method in served)


def compare(
    film: Explainable,
    samples: Sequence[Sample],
    healthy: npt.NDArray[np.uint8],
    *,
    output: int,
    names: Sequence[str],
    progress: Callable[[int, int, str], None] = lambda done, total, remark: None,
) -> list[dict[str, Any]]:
    """Evaluate explainers of one output.

    Args:
        healthy: (n, *shape) images or volumes of others; the most similar one replaces hidden regions.

    Returns:
        One row per explainer: means of insertion, deletion, advantage, pointing, gap, sanity and evaluations; median
        of seconds.
    """
    small = thumbnails(healthy)
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    untrained = _random_weights(film)
    for number, sample in enumerate(samples):
        twin = healthy[nearest(thumbnails(sample.plane[None]), small)[0]]
        finer = Regions(JUDGE if sample.plane.ndim == 2 else VOLUME_JUDGE, sample.plane.shape)
        judge = Game(film.model.answer, sample.plane, twin, finer)
        for name in names:
            if name in COSTLY and number >= FEW:
                continue
            row = _evaluated(film, sample, judge, output, name)
            if number < SANITY_FILMS:
                row["sanity"] = _sanity(film, untrained, sample, output, name)
            measured[name].append(row)
        progress(number + 1, len(samples), "")
    return [{"explainer": name, "films": len(rows), **_means(rows)} for name, rows in measured.items()]


def _evaluated(film: Explainable, sample: Sample, judge: Game, output: int, name: str) -> dict[str, float]:
    started = time.perf_counter()
    pixels, gap, evaluations = _pixels(film, sample.plane, output, name)
    row = {"seconds": time.perf_counter() - started, "evaluations": float(evaluations)}
    regions = judge.regions.gather(pixels[None])[0]
    curves = faithfulness.curves(judge, regions, output)
    row |= {"insertion": curves.insertion_auc, "deletion": curves.deletion_auc, "advantage": curves.advantage}
    row |= {} if gap is None else {"gap": abs(gap)}
    if sample.truth is not None:
        row["pointing"] = float(faithfulness.pointing_game_hit(pixels, sample.truth))
        row["within"] = faithfulness.evidence_within(pixels, sample.truth)
    return row


def _pixels(
    film: Explainable, plane: npt.NDArray[np.uint8], output: int, name: str
) -> tuple[npt.NDArray[np.float32], float | None, int]:
    """Pixel attributions, their efficiency gap (None if the method claims none), and evaluations."""
    method, masker, evaluations = EXPLAINERS[name]
    game = film.game(plane, masker=masker)
    if method == "grad_cam":
        network: Any = film.model.network
        return gradients.grad_cam(game, network.features[-1])[output], None, game.evaluations
    if method == "kernel":
        values = _smooth(_kernel(game, output, evaluations).reshape(game.regions.grid), plane.shape)
        return values.astype(np.float32), None, game.evaluations
    last: Attribution
    *_, last = _explain(film, game, method, output, evaluations)
    values = last.values[0, output]
    if values.shape != plane.shape:
        # Interpolated as it is drawn; the evaluation's finer regions would otherwise see steps.
        values = _smooth(values, plane.shape)
    return values.astype(np.float32), float(last.gaps[0, output]), last.evaluations


def _kernel(game: Game, output: int, evaluations: int) -> npt.NDArray[np.float64]:
    """Attributions (regions,) from the ``shap`` library's Kernel SHAP with default settings."""
    logging.getLogger("shap").setLevel(logging.WARNING)  # otherwise it logs every weight
    players = game.regions.count
    explainer = shap.KernelExplainer(lambda rows: game.values(rows)[:, 0, output], np.zeros((1, players)))
    attributions = explainer.shap_values(np.ones((1, players)), nsamples=evaluations, silent=True)
    return np.asarray(attributions, dtype=np.float64).reshape(players)


def _explain(film: Explainable, game: Game, method: str, output: int, evaluations: int) -> Iterator[Attribution]:
    return film.explain(game, method, (output,), Budget(evaluations=evaluations, precision=0.0))


def _smooth(values: npt.NDArray[np.floating], shape: tuple[int, ...]) -> npt.NDArray[np.floating]:
    boxes = torch.from_numpy(np.asarray(values, dtype=np.float32))[None, None]
    area = np.prod(shape) / values.size
    mode = Regions(values.shape, shape).smooth
    spread = torch.nn.functional.interpolate(boxes, shape, mode=mode, align_corners=False)
    return np.asarray(spread[0, 0].numpy() / area)


def _sanity(film: Explainable, untrained: Explainable, sample: Sample, output: int, name: str) -> float:
    """Rank correlation of the attributions with those of the same network with random weights."""
    maps = [
        film.regions.gather(_pixels(explained, sample.plane, output, name)[0][None])[0]
        for explained in (film, untrained)
    ]
    return abs(faithfulness.rank_correlation(*maps))


def _random_weights(film: Explainable) -> Explainable:
    """The same architecture with random weights."""
    torch.manual_seed(SEED)
    model = copy.copy(film.model)
    model.network = copy.deepcopy(film.model.network)
    for module in model.network.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Conv3d | torch.nn.Linear):
            module.reset_parameters()
    return replace(film, model=model)


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    names = {name for row in rows for name in row}
    return {name: round(float(np.mean([row[name] for row in rows if name in row])), 5) for name in sorted(names)} | {
        "seconds": round(float(np.median([row["seconds"] for row in rows])), 4)
    }

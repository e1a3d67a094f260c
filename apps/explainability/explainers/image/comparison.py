"""Explainers of one package side by side, over films.

The judge is none of the explainers' own: regions are finer than theirs (24 × 24), and what is hidden is
replaced by a real or drawn healthy film of somebody else, which none of them saw.
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
"""Regions of the judge's own along each axis."""
SANITY_FILMS = 8
FEW = 50
"""Films for explainers that only complete the picture."""
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
"""Name to method, baseline (empty: the package's best) and evaluations."""


@dataclass(frozen=True)
class Sample:
    """A film's plane or a volume's box to compare on, and where the finding is, if that is known."""

    plane: npt.NDArray[np.uint8]
    truth: npt.NDArray[np.bool_] | None = None


def names_for(film: Explainable) -> tuple[str, ...]:
    """The explainers that can be compared on a package, its own and those that it is held against."""
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
    """Measure explainers of one output.

    Args:
        healthy: (n, *shape) films or volumes of others, of which the most alike replaces what is hidden.

    Returns:
        One row an explainer: means of insertion, deletion, advantage, pointing, gap, sanity, evaluations, seconds.
    """
    small = thumbnails(healthy)
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    stranger = _random_weights(film)
    for number, sample in enumerate(samples):
        twin = healthy[nearest(thumbnails(sample.plane[None]), small)[0]]
        finer = Regions(JUDGE if sample.plane.ndim == 2 else VOLUME_JUDGE, sample.plane.shape)
        judge = Game(film.model.answer, sample.plane, twin, finer)
        for name in names:
            if name in COSTLY and number >= FEW:
                continue
            row = _judged(film, sample, judge, output, name)
            if number < SANITY_FILMS:
                row["sanity"] = _sanity(film, stranger, sample, output, name)
            measured[name].append(row)
        progress(number + 1, len(samples), "")
    return [{"explainer": name, "films": len(rows), **_means(rows)} for name, rows in measured.items()]


def _judged(film: Explainable, sample: Sample, judge: Game, output: int, name: str) -> dict[str, float]:
    started = time.perf_counter()
    pixels, gap, evaluations = _pixels(film, sample.plane, output, name)
    row = {"seconds": time.perf_counter() - started, "evaluations": float(evaluations)}
    regions = judge.regions.gather(pixels[None])[0]
    curves = faithfulness.curves(judge, regions, output, np.random.default_rng(SEED), orders=0)
    row |= {"insertion": curves.insertion_auc, "deletion": curves.deletion_auc, "advantage": curves.advantage}
    row |= {} if gap is None else {"gap": abs(gap)}
    if sample.truth is not None:
        row["pointing"] = float(faithfulness.points_at(pixels, sample.truth))
        row["within"] = faithfulness.within(pixels, sample.truth)
    return row


def _pixels(
    film: Explainable, plane: npt.NDArray[np.uint8], output: int, name: str
) -> tuple[npt.NDArray[np.float32], float | None, int]:
    """Attributions of pixels, their gap if they claim to add up, and evaluations."""
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
        # As it is drawn: smooth between the regions, which the judge's finer regions would else meet as steps.
        values = _smooth(values, plane.shape)
    return values.astype(np.float32), float(last.gaps[0, output]), last.evaluations


def _kernel(game: Game, output: int, evaluations: int) -> npt.NDArray[np.float64]:
    """(regions,) by the ``shap`` library's Kernel SHAP as it comes."""
    logging.getLogger("shap").setLevel(logging.WARNING)  # it tells every weight otherwise
    players = game.regions.count
    explainer = shap.KernelExplainer(lambda rows: game.values(rows)[:, 0, output], np.zeros((1, players)))
    found = explainer.shap_values(np.ones((1, players)), nsamples=evaluations, silent=True)
    return np.asarray(found, dtype=np.float64).reshape(players)


def _explain(film: Explainable, game: Game, method: str, output: int, evaluations: int) -> Iterator[Attribution]:
    return film.explain(game, method, (output,), Budget(evaluations=evaluations, precision=0.0))


def _smooth(values: npt.NDArray[np.floating], shape: tuple[int, ...]) -> npt.NDArray[np.floating]:
    boxes = torch.from_numpy(np.asarray(values, dtype=np.float32))[None, None]
    area = np.prod(shape) / values.size
    mode = Regions(values.shape, shape).smooth
    spread = torch.nn.functional.interpolate(boxes, shape, mode=mode, align_corners=False)
    return np.asarray(spread[0, 0].numpy() / area)


def _sanity(film: Explainable, stranger: Explainable, sample: Sample, output: int, name: str) -> float:
    """Rank correlation of the regions' attributions with those of the same network with random weights."""
    maps = [film.regions.gather(_pixels(one, sample.plane, output, name)[0][None])[0] for one in (film, stranger)]
    return abs(faithfulness.agreement(*maps))


def _random_weights(film: Explainable) -> Explainable:
    """The same architecture, never trained."""
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

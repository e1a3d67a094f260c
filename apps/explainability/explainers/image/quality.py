"""Faithfulness metrics of one explanation, and codes of its weaknesses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.explainability.explainers.image import faithfulness, limits
from apps.explainability.explainers.image.attribution import Attribution, Budget
from apps.explainability.explainers.image.coalition_game import Game
from apps.explainability.explainers.image.explainable import SEED, Explainable

Measures = dict[str, Any]


def measure(
    film: Explainable,
    game: Game,
    attribution: Attribution,
    *,
    method: str,
    thresholds: dict[int, float],
    budget: Budget,
) -> dict[int, Measures]:
    """Evaluate the explanations of some outputs.

    Args:
        game: over the package's own regions and baseline.
        thresholds: decision threshold by output; its keys are the outputs to evaluate.
        budget: the explainer's budget; the stability check uses half of it.

    Returns:
        Metrics by output; ``weaknesses`` lists codes of ``models.Weakness``.
    """
    watched = tuple(thresholds)
    plane = game.film.cpu().numpy()
    regions = attribution.by_region(game)
    first = film.amortised_estimate(game)
    noisy = _with_noise(film, plane, method, watched, budget)
    slopes = _gradients(film, plane) if method != "gradient" else None
    random = faithfulness.random_insertions(game, np.random.default_rng(SEED))
    halves = faithfulness.random_halves(game, np.random.default_rng(SEED + 1))
    measured = {}
    for output, threshold in thresholds.items():
        attributions = regions[0, output]
        curves = faithfulness.curves(game, attributions, output, random)
        measures: Measures = {
            "deletion": curves.deletion_auc,
            "insertion": curves.insertion_auc,
            "random": curves.random_auc,
            "advantage": curves.advantage,
            "chance": curves.chance,
            "deletion_curve": [round(float(value), 4) for value in curves.deletion],
            "insertion_curve": [round(float(value), 4) for value in curves.insertion],
            "gap": float(attribution.gaps[0, output]),
            "predictive_fidelity": faithfulness.predictive_fidelity(halves, regions[1, output], output),
            "stability": faithfulness.correlation(attributions, noisy[0, output]),
            "share_of_change": _reversal(game, attributions, output, threshold),
        }
        if slopes is not None:
            measures["agreement"] = faithfulness.correlation(attributions, slopes[0, output])
        if first is not None and method == "sampled":
            estimate = first.by_region(game)[0, output]
            estimate_log_odds = first.by_region(game)[1, output]
            measures["estimate_fidelity"] = faithfulness.predictive_fidelity(halves, estimate_log_odds, output)
            measures["estimate_error"] = float(
                np.sqrt(((estimate - attributions) ** 2).sum() / max((attributions**2).sum(), 1e-18))
            )
        measures["weaknesses"] = weaknesses(measures, constant=float(np.ptp(curves.random)) < limits.CONSTANT_RANGE)
        measured[output] = {name: _short(value) for name, value in measures.items()}
    return measured


def weaknesses(measures: Measures, *, constant: bool) -> list[str]:
    """Codes of ``models.Weakness`` that apply to an explanation."""
    if constant:
        return ["constant"]
    decided = measures.get("share_of_change")
    applies = {
        "gap": abs(measures["gap"]) >= limits.MAX_GAP,
        "random": measures["advantage"] <= measures["chance"]
        and not (decided and decided["share"] <= limits.MAX_DECISIVE_SHARE),
        "unstable": measures["stability"] < limits.MIN_STABILITY,
        "blind": measures["predictive_fidelity"] < limits.MIN_FIDELITY,
    }
    return [code for code, applicable in applies.items() if applicable]


def _short(value: Any) -> Any:
    return round(value, 5) if isinstance(value, float) else value


def _with_noise(
    film: Explainable, plane: npt.NDArray[np.generic], method: str, watched: tuple[int, ...], budget: Budget
) -> npt.NDArray[np.float64]:
    """The same explainer's attributions for the image with slight noise."""
    game = film.game(faithfulness.with_noise(plane, np.random.default_rng(SEED)))
    half = replace(budget, evaluations=max(2, budget.evaluations // 2), precision=0.0)
    *_, last = film.explain(game, method, watched, half)
    return last.by_region(game)


def _gradients(film: Explainable, plane: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    game = film.game(plane)
    *_, last = film.explain(game, "gradient", (), Budget(evaluations=64))
    return last.by_region(game)


def _reversal(game: Game, regions: npt.NDArray[np.float64], output: int, threshold: float) -> dict[str, float] | None:
    reversing = faithfulness.smallest_reversing_set(game, regions, output, threshold)
    if reversing is None:
        return None
    count, left = reversing
    return {"regions": count, "share": round(count / len(regions), 4), "probability": round(left, 4)}

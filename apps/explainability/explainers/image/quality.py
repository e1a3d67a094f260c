"""Measuring one explanation, and saying in codes why it should not be trusted."""

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
    found: Attribution,
    *,
    method: str,
    thresholds: dict[int, float],
    budget: Budget,
) -> dict[int, Measures]:
    """Measure the explanations of these outputs.

    Args:
        game: over the package's own regions and baseline.
        thresholds: by output; the outputs are those to be measured.
        budget: what the explainer had; the check on a noisy film takes half of it.

    Returns:
        By output; ``weaknesses`` holds codes of ``models.Weakness``.
    """
    watched = tuple(thresholds)
    plane = game.film.cpu().numpy()
    regions = found.by_region(game)
    first = film.first(game)
    noisy = _again(film, plane, method, watched, budget)
    slopes = _gradients(film, plane) if method != "gradient" else None
    measured = {}

    def fresh() -> np.random.Generator:
        return np.random.default_rng(SEED + 1)

    for output, threshold in thresholds.items():
        mine = regions[0, output]
        curves = faithfulness.curves(game, mine, output, np.random.default_rng(SEED))
        measures: Measures = {
            "deletion": curves.deletion_auc,
            "insertion": curves.insertion_auc,
            "random": curves.random_auc,
            "advantage": curves.advantage,
            "chance": curves.chance,
            "deletion_curve": [round(float(value), 4) for value in curves.deletion],
            "insertion_curve": [round(float(value), 4) for value in curves.insertion],
            "gap": float(found.gaps[0, output]),
            "foretells": faithfulness.foretells(game, [regions[1, output]], output, fresh())[0],
            "stability": faithfulness.likeness(mine, noisy[0, output]),
            "share_of_change": _reversal(game, mine, output, threshold),
        }
        if slopes is not None:
            measures["agreement"] = faithfulness.likeness(mine, slopes[0, output])
        if first is not None and method == "sampled":
            estimate = first.by_region(game)[0, output]
            foretold = faithfulness.foretells(game, [first.by_region(game)[1, output]], output, fresh())
            measures["estimate_foretells"] = foretold[0]
            measures["estimate_error"] = float(np.sqrt(((estimate - mine) ** 2).sum() / max((mine**2).sum(), 1e-18)))
        measures["weaknesses"] = weaknesses(measures, constant=float(np.ptp(curves.random)) < limits.CONSTANT)
        measured[output] = {name: _short(value) for name, value in measures.items()}
    return measured


def weaknesses(measures: Measures, *, constant: bool) -> list[str]:
    """Codes of what speaks against an explanation."""
    if constant:
        return ["constant"]
    decided = measures.get("share_of_change")
    found = {
        "gap": abs(measures["gap"]) >= limits.ADDS_UP,
        "random": measures["advantage"] <= measures["chance"] and not (decided and decided["share"] <= limits.DECIDED),
        "unstable": measures["stability"] < limits.STABLE,
        "blind": measures["foretells"] < limits.FORETELLS,
    }
    return [code for code, so in found.items() if so]


def _short(value: Any) -> Any:
    return round(value, 5) if isinstance(value, float) else value


def _again(
    film: Explainable, plane: npt.NDArray[np.generic], method: str, watched: tuple[int, ...], budget: Budget
) -> npt.NDArray[np.float64]:
    """The same explainer's regions for the film with a little noise."""
    game = film.game(faithfulness.disturbed(plane, np.random.default_rng(SEED)))
    half = replace(budget, evaluations=max(2, budget.evaluations // 2), precision=0.0)
    *_, last = film.explain(game, method, watched, half)
    return last.by_region(game)


def _gradients(film: Explainable, plane: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    game = film.game(plane)
    *_, last = film.explain(game, "gradient", (), Budget(evaluations=64))
    return last.by_region(game)


def _reversal(game: Game, regions: npt.NDArray[np.float64], output: int, threshold: float) -> dict[str, float] | None:
    found = faithfulness.enough_to_lose(game, regions, output, threshold)
    if found is None:
        return None
    count, left = found
    return {"regions": count, "share": round(count / len(regions), 4), "probability": round(left, 4)}

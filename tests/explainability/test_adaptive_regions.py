"""Few players that close in on what matters, against games whose values are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from apps.explainability.explainers.image import adaptive_regions
from apps.explainability.explainers.image.attribution import Attribution, Budget
from apps.explainability.explainers.image.coalition_game import Game, Regions
from tests.explainability.games import game, sigmoid_of

SHAPE = (24, 32, 32)
REGIONS = Regions((4, 4, 4), SHAPE)
SPOT, OTHER = (slice(3, 9), slice(4, 12), slice(20, 28)), (slice(15, 21), slice(20, 28), slice(4, 12))
"""Eight cells each of the finer grid, across borders of the game's own regions."""


def volume_game(model) -> Game:  # type: ignore[no-untyped-def]
    return game(model, np.full(SHAPE, 200, np.uint8), regions=REGIONS)


def run(one: Game, evaluations: int = 400, **options) -> list[Attribution]:  # type: ignore[no-untyped-def]
    budget = Budget(evaluations=evaluations, precision=0.0, **options)
    return list(adaptive_regions.explain(one, (0,), budget, rng=np.random.default_rng(0)))


def either(planes: torch.Tensor) -> torch.Tensor:
    """As models that take the strongest place: one of two spots is enough for a finding."""
    means = torch.stack([planes[:, *place].double().mean(dim=(1, 2, 3)) / 200 for place in (SPOT, OTHER)])
    first = 0.02 + 0.96 * means.amax(dim=0).clamp(0, 1) ** 4
    return torch.stack([first, 1 - first], dim=1)


def near(cells: np.ndarray, spot: tuple[slice, ...]) -> np.ndarray:
    """The cells of a spot and those beside it, which the soft borders let see of it."""
    sizes = (3, 4, 4)
    return cells[tuple(slice(p.start // n - 1, p.stop // n + 1) for p, n in zip(spot, sizes, strict=True))]


def test_a_small_spot_is_found_across_the_borders_of_regions() -> None:
    weights = np.zeros(SHAPE)
    weights[SPOT] = 0.02
    *_, found = run(volume_game(sigmoid_of(weights, -2.0)))
    assert found.values.shape == (2, 2, 8, 8, 8), "cells are half as long as the game's regions"
    assert np.abs(found.gaps).max() < 1e-9
    cells = found.values[0, 0]
    assert near(cells, SPOT).sum() > 0.85 * cells.sum()
    place = np.unravel_index(cells.argmax(), cells.shape)
    assert place[0] in (1, 2) and place[1] in (1, 2) and place[2] in (5, 6)
    by_region = found.by_region(volume_game(sigmoid_of(weights, -2.0)))
    assert by_region.sum() == pytest.approx(found.values.sum(), abs=1e-9) and by_region.shape == (2, 2, REGIONS.count)


def test_two_spots_of_which_either_is_enough_share_alike() -> None:
    """Hidden alone neither changes anything, so only a search that also shows boxes alone finds them."""
    *_, found = run(volume_game(either), 600)
    cells = found.values[0, 0]
    one, other = near(cells, SPOT).sum(), near(cells, OTHER).sum()
    assert one == pytest.approx(other, rel=0.25) and one + other > 0.8 * cells.sum()
    assert found.half_width is not None
    told = np.abs(cells) > found.half_width[0, 0]
    assert near(told, SPOT).any() and near(told, OTHER).any()


def test_the_search_is_shown_first_and_its_sum_fits() -> None:
    first, *_, last = run(volume_game(either))
    assert first.half_width is None and not first.stopped and np.abs(first.gaps).max() < 1e-9
    assert first.evaluations < last.evaluations <= 400 and last.stopped == "budget"
    cells = first.values[0, 0]
    assert cells.max() in (near(cells, SPOT).max(), near(cells, OTHER).max())


def test_a_glance_is_rough_but_adds_up() -> None:
    one = volume_game(either)
    found = adaptive_regions.preview(one)
    assert found.evaluations == 30 and np.abs(found.gaps).max() < 1e-9
    assert len(np.unique(found.values[0, 0].round(9))) <= adaptive_regions.PREVIEW_PLAYERS
    halves = found.values[0, 0].reshape(2, 4, 2, 4, 2, 4).sum(axis=(1, 3, 5))
    assert halves[0, 0, 1] + halves[1, 1, 0] > 0.5 * halves.sum()


@pytest.mark.parametrize("evaluations", [4, 20, 60])
def test_a_small_budget_is_kept(evaluations: int) -> None:
    one = volume_game(either)
    *_, found = run(one, evaluations)
    assert found.evaluations <= max(evaluations, 4) and np.abs(found.gaps).max() < 1e-9


def test_time_ends_it() -> None:
    ticks = iter(range(0, 1000, 10))
    budget = Budget(evaluations=5_000, seconds=90, precision=0.0)
    one = volume_game(either)
    *_, found = adaptive_regions.explain(one, (0,), budget, rng=np.random.default_rng(0), clock=lambda: next(ticks))
    assert found.stopped == "time" and found.evaluations < 5_000 and np.abs(found.gaps).max() < 1e-9


def test_a_constant_model_gets_no_evidence() -> None:
    *_, found = run(volume_game(lambda planes: torch.full((len(planes), 2), 0.5)), 200)
    assert np.abs(found.values).max() < 1e-6

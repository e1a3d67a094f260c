"""Explainers against games whose values are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.explainability.explainers.image import gradients, partition, sampled
from apps.explainability.explainers.image.amortised import efficient
from apps.explainability.explainers.image.attribution import Attribution, Budget
from apps.explainability.explainers.image.baselines import MASKERS, baseline
from apps.explainability.explainers.image.coalition_game import Game, Regions
from tests.explainability.games import REGIONS, SHAPE, film, game, sigmoid_of, spot

AREA = spot(slice(8, 24), slice(16, 32))


def last(found) -> Attribution:  # type: ignore[no-untyped-def]
    *_, end = found
    return end


def run(one: Game, evaluations: int = 400, **options) -> Attribution:  # type: ignore[no-untyped-def]
    budget = Budget(evaluations=evaluations, precision=options.pop("precision", 0.0), **options)
    return last(sampled.sample(one, prior=None, watched=(0,), budget=budget, rng=np.random.default_rng(0)))


def exact(model, plane: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    """(regions,) log-odds attributions of an additive game: each region alone."""
    one = game(model, plane)
    alone = one.values(np.eye(REGIONS.count))[:, 1, 0]
    return alone - one.ends[0][1, 0]


def test_sampling_finds_the_exact_values_of_an_additive_game() -> None:
    model, plane = sigmoid_of(AREA, -1.0), film()
    found = run(game(model, plane))
    assert np.abs(found.gaps).max() < 1e-9
    mine = found.values[1, 0].ravel()
    assert np.allclose(mine, exact(model, plane), atol=1e-3)
    assert np.allclose(found.values[1, 1], -found.values[1, 0], atol=1e-6)


def test_the_intervals_hold_the_truth_of_a_game_with_interactions() -> None:
    """What 120 evaluations are unsure of is checked against what 20,000 say."""
    rng = np.random.default_rng(5)
    weights = rng.normal(0, 0.01, SHAPE)

    def model(planes: torch.Tensor) -> torch.Tensor:
        total = (planes.double() / 255 * torch.from_numpy(weights)).sum(dim=(1, 2))
        return torch.sigmoid(total * total - 1).unsqueeze(1)

    truth = run(game(model), 20_000).values[0, 0]
    rough = run(game(model), 120)
    assert rough.half_width is not None
    assert np.mean(np.abs(rough.values[0, 0] - truth) <= rough.half_width[0, 0]) > 0.75
    fine = run(game(model), 2_000)
    assert np.abs(fine.values[0, 0] - truth).mean() < np.abs(rough.values[0, 0] - truth).mean()


def test_it_stops_when_it_is_precise_enough_or_out_of_time() -> None:
    easy = run(game(sigmoid_of(AREA, -1.0)), 5_000, precision=0.3)
    assert easy.stopped == "precise" and easy.evaluations < 2_500
    ticks = iter(range(0, 1000, 10))
    budget = Budget(evaluations=5_000, seconds=25, precision=0.0)
    hurried = last(
        sampled.sample(
            game(sigmoid_of(AREA)), prior=None, watched=(0,), budget=budget, rng=np.random.default_rng(0),
            clock=lambda: next(ticks),
        )
    )  # fmt: skip
    assert hurried.stopped == "time" and hurried.evaluations < 5_000
    assert run(game(sigmoid_of(AREA)), 100).stopped == "budget"


def test_a_good_prior_saves_evaluations() -> None:
    model, plane = sigmoid_of(AREA, -1.0), film()
    one = game(model, plane)
    truth = run(game(model, plane), 20_000).values.reshape(2, 2, -1)
    prior = truth + np.random.default_rng(1).normal(0, 0.2 * np.abs(truth).max(-1, keepdims=True) / 4, truth.shape)
    with_prior = last(
        sampled.sample(
            one, prior=prior, watched=(0,), budget=Budget(evaluations=20, precision=0.0), rng=np.random.default_rng(0)
        )
    )
    without = run(game(model, plane), 20)

    def error(found: Attribution) -> float:
        return float(np.abs(found.values[0, 0].ravel() - truth[0, 0]).sum())

    assert error(with_prior) < error(without)
    assert np.abs(with_prior.gaps).max() < 1e-9


def test_partition_and_sampling_agree() -> None:
    model = sigmoid_of(AREA, -2.0)
    owen = last(partition.explain(game(model), (0,), Budget(evaluations=400)))
    assert np.abs(owen.gaps).max() < 1e-4
    mine = run(game(model), 2_000).values[0, 0].ravel()
    assert np.corrcoef(owen.by_region(game(model))[0, 0], mine)[0, 1] > 0.85


class Small(torch.nn.Module):
    """A network that shap has rules for."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(1, 4, 5, stride=4), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.LazyLinear(2)
        )
        self.network = self.layers
        self(torch.zeros(1, *SHAPE))
        self.requires_grad_(False)

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.layers(planes.unsqueeze(1) / 255), dim=1).double()

    def answer(self, planes: torch.Tensor) -> torch.Tensor:
        return self(planes)


def test_gradient_explainers_point_where_sampling_points() -> None:
    model = Small()
    truth = run(game(model.answer), 4_000).by_region(game(model.answer))[1, 0]
    for explain in (gradients.expected, gradients.deep):
        found = last(explain(game(model.answer), (0,), Budget(evaluations=400)))
        assert found.values.shape == (2, 2, *SHAPE)
        assert np.corrcoef(found.by_region(game(model.answer))[1, 0], truth)[0, 1] > 0.7
    maps = gradients.grad_cam(game(model.answer), model.layers[0])
    assert maps.shape == (2, *SHAPE) and (maps >= 0).all()


def test_a_constant_model_gets_no_evidence() -> None:
    found = run(game(lambda planes: torch.full((len(planes), 1), 0.3)), 60)
    assert np.abs(found.values).max() < 1e-12


@given(st.integers(2, 7), st.integers(2, 7), st.integers(8, 40), st.integers(8, 40))
@settings(max_examples=30, deadline=None)
def test_spreading_and_gathering_keep_sums(rows: int, columns: int, height: int, width: int) -> None:
    regions = Regions((rows, columns), (height, width))
    values = np.random.default_rng(0).normal(size=(3, regions.count))
    pixels = regions.spread(values)
    assert pixels.shape == (3, height, width)
    assert np.allclose(regions.gather(pixels), values, atol=1e-5)
    assert np.allclose(pixels.sum(axis=(1, 2)), values.sum(axis=1), atol=1e-4)


def test_volumes_are_explained_as_films_are() -> None:
    """A bright cube in a volume: the evidence lies in its slices, and slices sum up to the whole."""
    shape = (12, 24, 24)
    regions = Regions((3, 3, 3), shape)
    weights = np.zeros(shape)
    weights[4:8, 8:16, 8:16] = 0.02
    volume = np.full(shape, 200, np.uint8)
    found = run(game(sigmoid_of(weights, -2.0), volume, regions=regions), 600)
    pixels = regions.spread(found.values[0].reshape(2, -1))[0]
    by_slice = pixels.sum(axis=(1, 2))
    assert by_slice[4:8].sum() > 0.7 * np.abs(by_slice).sum()
    assert found.values.shape == (2, 2, 3, 3, 3) and np.abs(found.gaps).max() < 1e-9


def test_a_series_is_explained_by_variable_and_hour() -> None:
    """Hours down, variables across: each cell is a player, and one cell's value decides."""
    hours, variables = 12, 5
    regions = Regions((hours, variables), (hours, variables))
    weights = np.zeros((hours, variables))
    weights[9, 2], weights[4, 1] = 3.0, -1.0
    series = np.random.default_rng(0).integers(150, 255, (hours, variables)).astype(np.uint8)
    found = run(game(sigmoid_of(weights, -1.0), series, regions=regions), 600).values[0, 0]
    assert np.unravel_index(found.argmax(), found.shape) == (9, 2)
    assert np.unravel_index(found.argmin(), found.shape) == (4, 1)
    assert found[9].sum() > 0.9 * np.clip(found, 0, None).sum(), "by hour"
    assert found[:, 1].sum() < -0.9 * np.clip(-found, 0, None).sum() * 0.9, "by variable"


def test_the_sum_is_corrected_evenly() -> None:
    ends = np.zeros((2, 1)), np.ones((2, 1))
    values = efficient(np.zeros((2, 1, 4)), ends)
    assert np.allclose(values, 0.25)


@pytest.mark.parametrize("masker", MASKERS[1:])
def test_every_masker_hides(masker: str) -> None:
    plane = film()
    hidden = baseline(masker, plane, None)
    assert hidden.shape == plane.shape and np.abs(hidden - plane).mean() > 5


def test_an_unknown_masker_is_refused() -> None:
    with pytest.raises(ValueError, match="no such baseline"):
        baseline("reference", film(), None)

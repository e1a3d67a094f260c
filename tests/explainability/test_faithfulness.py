from __future__ import annotations

import numpy as np
import pytest

from apps.explainability.explainers.image import faithfulness
from apps.explainability.explainers.image.quality import weaknesses
from tests.explainability.games import REGIONS, film, game, sigmoid_of, spot

BRIGHT = np.full((48, 48), 200, np.uint8)
MODEL = sigmoid_of(spot(slice(8, 24), slice(16, 32), 0.05), -3.0)
TRUE = REGIONS.gather(spot(slice(8, 24), slice(16, 32))[None])[0]


def test_the_true_order_beats_a_random_and_a_reversed_one() -> None:
    random = faithfulness.random_insertions(game(MODEL, BRIGHT), np.random.default_rng(0))
    good = faithfulness.curves(game(MODEL, BRIGHT), TRUE, 0, random)
    bad = faithfulness.curves(game(MODEL, BRIGHT), -TRUE, 0, random)
    assert good.advantage > good.chance > 0
    assert good.insertion_auc > good.random_auc > good.deletion_auc
    assert bad.advantage < -0.5 < 0.5 < good.advantage
    assert good.insertion[0] == pytest.approx(good.deletion[-1]) and good.deletion[0] > 0.9


def test_random_orders_are_evaluated_once_for_all_outputs() -> None:
    both = game(MODEL, BRIGHT)
    random = faithfulness.random_insertions(both, np.random.default_rng(0))
    assert random.shape[2] == 2 and both.evaluations == random.shape[0] * random.shape[1]
    assert random[..., 1] == pytest.approx(1 - random[..., 0])
    empty, full = both.ends
    for order in random:
        assert order[0] == pytest.approx(empty[0]) and order[-1] == pytest.approx(full[0])


def test_few_true_regions_turn_the_answer() -> None:
    found = faithfulness.smallest_reversing_set(game(MODEL, BRIGHT), TRUE, 0, 0.5)
    assert found is not None
    count, left = found
    assert 1 <= count <= 9 and left < 0.5
    hidden = np.ones((1, REGIONS.count))
    hidden[0, np.argsort(-TRUE)[: count - 1]] = 0
    assert game(MODEL, BRIGHT).values(hidden)[0, 0, 0] >= 0.5
    assert faithfulness.smallest_reversing_set(game(lambda planes: 0 * planes[:, :1, 0] + 0.9), TRUE, 0, 0.5) is None


def test_pointing_and_agreement() -> None:
    truth = np.zeros((48, 48), bool)
    truth[8:24, 16:32] = True
    assert faithfulness.pointing_game_hit(truth.astype(float), truth)
    assert not faithfulness.pointing_game_hit(np.roll(truth, 20, axis=0).astype(float), truth)
    assert faithfulness.evidence_within(truth.astype(float), truth) == 1
    assert faithfulness.rank_correlation(TRUE, TRUE) == pytest.approx(1)
    assert faithfulness.rank_correlation(TRUE, np.zeros_like(TRUE)) == 0
    assert faithfulness.correlation(TRUE, 2 * TRUE + 1) == pytest.approx(1)
    assert faithfulness.correlation(TRUE, np.zeros_like(TRUE)) == 0
    halves = faithfulness.random_halves(game(MODEL, BRIGHT), np.random.default_rng(0))
    told = [faithfulness.predictive_fidelity(halves, values, 0) for values in (TRUE, -TRUE, 0 * TRUE)]
    assert told[0] > 0.9 and told[1] < -0.9 and told[2] == 0
    assert np.abs(faithfulness.with_noise(film(), np.random.default_rng(0)) - film()).mean() < 3


def test_what_speaks_against_an_explanation_is_named() -> None:
    sound = {"gap": 0.0, "advantage": 0.5, "chance": 0.1, "stability": 0.9, "predictive_fidelity": 0.8}
    assert weaknesses(sound, constant=False) == []
    assert weaknesses(sound | {"gap": 0.02}, constant=False) == ["gap"]
    assert weaknesses(sound | {"advantage": 0.05}, constant=False) == ["random"]
    assert weaknesses(sound | {"stability": 0.2, "predictive_fidelity": 0.1}, constant=False) == ["unstable", "blind"]
    assert weaknesses(sound, constant=True) == ["constant"]

"""SHAP for images with the partition explainer of the ``shap`` library.

It computes Owen values: Shapley values over a hierarchy of rectangles, bisected repeatedly, the most
important first (Owen 1977; Lundberg's PartitionExplainer).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import shap

from apps.explainability.explainers.image.attribution import Attribution, Budget
from apps.explainability.explainers.image.coalition_game import Game, Values

UNITS = np.array([1.0, 6.0])
"""Scale of each space: the explainer splits where values change most, so log-odds are scaled to probabilities."""


def explain(game: Game, watched: tuple[int, ...], budget: Budget) -> Iterator[Attribution]:
    """Explain every output in both spaces with the same evaluations."""
    shape = game.regions.shape

    def function(flat: npt.NDArray[np.float32]) -> Values:
        answers = game.evaluate(np.asarray(flat, dtype=np.float32).reshape(len(flat), *shape))
        return (answers / UNITS[:, None]).reshape(len(flat), -1)

    masker = shap.maskers.Image(game.baseline.cpu().numpy()[..., None], shape=(*shape, 1))
    explainer = shap.explainers.Partition(function, masker)
    image = game.film.cpu().numpy().reshape(1, *shape, 1)
    explained = explainer(image, max_evals=budget.evaluations, batch_size=game.batch, silent=True)
    empty, full = game.ends
    values = np.moveaxis(np.asarray(explained.values)[0, :, :, 0, :], -1, 0).reshape(*empty.shape, *shape)
    yield Attribution((values * UNITS[:, None, None, None]).astype(np.float32), empty, full, game.evaluations)

"""Shapley values of a volume among few players, adaptively refined where the output changes.

With hundreds of equal regions a small finding is one of many, each estimated roughly; with few, it is a corner of a
large one. Boxes are therefore bisected repeatedly where the output changes most: when only the box is visible, and when
only the box is hidden (hierarchical games; Teneggi, Luster and Sulam, IEEE TPAMI 2023). The result is small boxes at
relevant positions and large ones elsewhere: a few dozen players of one game, whose Shapley values are sampled as for
images. A box's value is distributed evenly among its cells, so the sum is preserved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from apps.explainability.explainers.image import sampled
from apps.explainability.explainers.image.amortised import efficient
from apps.explainability.explainers.image.attribution import Attribution, Budget
from apps.explainability.explainers.image.coalition_game import Game, Regions, Values

PLAYERS = 32
"""Boxes at the end of the search, which takes 4 evaluations per box and at most half of the budget."""
FINER = 2
"""Cells per region of the game along each axis: the finest resolution."""
PREVIEW_PLAYERS = 8
"""Boxes of a preview: 30 evaluations."""
SPLITS_PER_STEP = 2
"""Boxes that are bisected per batch of evaluations."""

Cells = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Box:
    """A block of cells with its estimated contribution.

    Attributes:
        cells: (slices, rows, columns) cell indices.
        contribution: (spaces, outputs) mean of the gain when only the box is visible and the loss when only the box is
            hidden: its Shapley value in a two-player game.
    """

    cells: Cells
    contribution: Values


class Quotient:
    """The game whose players are boxes of cells (the quotient game of Owen 1977)."""

    def __init__(self, game: Game, boxes: list[Box]) -> None:
        self.game, self.cells = game, _cells(game)
        self.of = np.empty(self.cells.count, dtype=np.intp)
        for number, box in enumerate(boxes):
            self.of[box.cells.ravel()] = number
        self.sizes = np.bincount(self.of)
        self.regions = Regions((len(boxes),), (len(boxes),))

    @property
    def evaluations(self) -> int:
        """Number of volumes evaluated by the model."""
        return self.game.evaluations

    @property
    def ends(self) -> tuple[Values, Values]:
        """Values of the empty and the grand coalition, (spaces, outputs) each."""
        return self.game.ends

    def values(self, coalitions: npt.NDArray[np.generic]) -> Values:
        """Values (n, spaces, outputs) of coalitions (n, boxes)."""
        return self.game.values(coalitions[:, self.of], self.cells)

    def by_cell(self, boxes: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Distribute values (spaces, outputs, boxes) to cells (spaces, outputs, *cells); sums are preserved."""
        return np.asarray((boxes / self.sizes)[..., self.of].reshape(*boxes.shape[:2], *self.cells.grid))


def explain(
    game: Game,
    watched: tuple[int, ...],
    budget: Budget,
    *,
    rng: np.random.Generator,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Attribution]:
    """Search for boxes, then sample their Shapley values; the first attribution is the search's own estimate."""
    started = clock()
    boxes = _search(game, watched, budget, lambda: clock() - started)
    quotient = Quotient(game, boxes)
    first = _estimate(quotient, boxes)
    if len(boxes) == 1:  # the budget allowed no split: one box has the whole value
        yield replace(first, stopped="budget")
        return
    yield first
    rest = replace(budget, seconds=budget.seconds - (clock() - started))
    independent = torch.eye(len(boxes), dtype=torch.float64)  # boxes of different sizes: no prior correlation
    for attribution in sampled.sample(
        quotient, prior=None, watched=watched, budget=rest, rng=rng, covariance=independent, clock=clock
    ):
        assert attribution.half_width is not None
        yield replace(
            attribution,
            values=quotient.by_cell(attribution.values),
            half_width=quotient.by_cell(attribution.half_width),
        )


def preview(game: Game) -> Attribution:
    """The first steps of the search only, for all outputs: a rough, fast estimate."""
    boxes = _search(game, (), Budget(), lambda: 0.0, players=PREVIEW_PLAYERS)
    return _estimate(Quotient(game, boxes), boxes)


def _cells(game: Game) -> Regions:
    return Regions(tuple(FINER * number for number in game.regions.grid), game.regions.shape)


def _search(
    game: Game, watched: tuple[int, ...], budget: Budget, seconds: Callable[[], float], players: int = PLAYERS
) -> list[Box]:
    """Bisect the boxes with the largest contribution until there are enough, or half of the budget is used."""
    empty, full = game.ends
    cells = _cells(game)
    boxes = [Box(np.arange(cells.count).reshape(cells.grid), full - empty)]
    outputs = list(watched) or list(range(full.shape[-1]))
    while len(boxes) < players and 2 * (game.evaluations + 4 * SPLITS_PER_STEP) <= budget.evaluations:
        if 2 * seconds() > budget.seconds:
            break
        boxes.sort(key=lambda box: (box.cells.size > 1, float(np.abs(box.contribution[0, outputs]).max())))
        chosen = [box for box in boxes[-SPLITS_PER_STEP:] if box.cells.size > 1]
        if not chosen:
            break
        halves = [half for box in chosen for half in _bisected(box.cells, cells.grid)]
        boxes = boxes[: -len(chosen)] + _evaluated(game, cells, halves)
    return boxes


def _estimate(quotient: Quotient, boxes: list[Box]) -> Attribution:
    """The search's own estimate, corrected to sum to the output."""
    empty, full = quotient.ends
    values = efficient(np.stack([box.contribution for box in boxes], axis=-1), (empty, full))
    return Attribution(quotient.by_cell(values), empty, full, quotient.evaluations, stopped="")


def _bisected(box: Cells, grid: tuple[int, ...]) -> list[Cells]:
    """Bisect across the axis along which the box spans the largest share of the volume."""
    shares = [length / whole if length > 1 else 0.0 for length, whole in zip(box.shape, grid, strict=True)]
    return np.array_split(box, 2, axis=int(np.argmax(shares)))


def _evaluated(game: Game, cells: Regions, halves: list[Cells]) -> list[Box]:
    alone = np.zeros((len(halves), cells.count), dtype=bool)
    for row, half in zip(alone, halves, strict=True):
        row[half.ravel()] = True
    answers = game.values(np.concatenate([alone, ~alone]), cells)
    empty, full = game.ends
    contributions = ((answers[: len(halves)] - empty) + (full - answers[len(halves) :])) / 2
    return [Box(half, contribution) for half, contribution in zip(halves, contributions, strict=True)]

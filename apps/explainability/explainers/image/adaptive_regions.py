"""Shapley values of a volume among few players that close in on what matters.

In hundreds of equal regions a small finding is one of many, each known roughly; in few, it is a corner of a large one.
So boxes are halved again and again where the answer changes most: when a box alone is seen, and when it alone is
hidden (hierarchical games; Teneggi, Luster and Sulam, IEEE TPAMI 2023). What is left after that are small boxes where
something matters and large ones where nothing does: some dozens of players of one game, whose Shapley values are
sampled as a film's are. A box's value is shared out evenly among its cells, so the sum stays.
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
"""Boxes at the end of the search; finding them takes 4 evaluations each, at most half of the budget."""
FINER = 2
"""Into how many cells along each axis a region of the game may be cut."""
AT_GLANCE = 8
"""Boxes of a first look: 30 evaluations."""
AT_ONCE = 2
"""Boxes that are halved before the model is asked again."""

Cells = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Box:
    """Neighbouring cells, and what they were seen to give.

    Attributes:
        cells: (slices, rows, columns) numbers of cells.
        given: (spaces, outputs) the mean of what the box gives when it alone is seen and what it takes when it alone
            is hidden: its Shapley value in a game of two.
    """

    cells: Cells
    given: Values


class Quotient:
    """The game whose players are boxes of cells (Owen 1977 calls it the quotient game)."""

    def __init__(self, game: Game, boxes: list[Box]) -> None:
        self.game, self.cells = game, _cells(game)
        self.of = np.empty(self.cells.count, dtype=np.intp)
        for number, box in enumerate(boxes):
            self.of[box.cells.ravel()] = number
        self.sizes = np.bincount(self.of)
        self.regions = Regions((len(boxes),), (len(boxes),))

    @property
    def evaluations(self) -> int:
        """How many volumes the model was asked for."""
        return self.game.evaluations

    @property
    def ends(self) -> tuple[Values, Values]:
        """What nobody and all earn, (spaces, outputs) each."""
        return self.game.ends

    def values(self, coalitions: npt.NDArray[np.generic]) -> Values:
        """(n, spaces, outputs) for (n, boxes) coalitions."""
        return self.game.values(coalitions[:, self.of], self.cells)

    def by_cell(self, boxes: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """(spaces, outputs, boxes) as (spaces, outputs, *cells); sums stay."""
        return np.asarray((boxes / self.sizes)[..., self.of].reshape(*boxes.shape[:2], *self.cells.grid))


def explain(
    game: Game,
    watched: tuple[int, ...],
    budget: Budget,
    *,
    rng: np.random.Generator,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Attribution]:
    """Search, then sample; the first attribution is what the search itself saw."""
    started = clock()
    boxes = _search(game, watched, budget, lambda: clock() - started)
    quotient = Quotient(game, boxes)
    first = _seen(quotient, boxes)
    if len(boxes) == 1:  # the budget allowed no cut: there is nothing to share out
        yield replace(first, stopped="budget")
        return
    yield first
    rest = replace(budget, seconds=budget.seconds - (clock() - started))
    alike = torch.eye(len(boxes), dtype=torch.float64)  # boxes of unlike sizes are no neighbours that resemble
    for found in sampled.sample(
        quotient, prior=None, watched=watched, budget=rest, rng=rng, covariance=alike, clock=clock
    ):
        assert found.half_width is not None
        yield replace(found, values=quotient.by_cell(found.values), half_width=quotient.by_cell(found.half_width))


def glance(game: Game) -> Attribution:
    """The first steps of the search alone, of all outputs: a rough picture at once."""
    boxes = _search(game, (), Budget(), lambda: 0.0, players=AT_GLANCE)
    return _seen(Quotient(game, boxes), boxes)


def _cells(game: Game) -> Regions:
    return Regions(tuple(FINER * number for number in game.regions.grid), game.regions.shape)


def _search(
    game: Game, watched: tuple[int, ...], budget: Budget, seconds: Callable[[], float], players: int = PLAYERS
) -> list[Box]:
    """Halve where the answer changes most, until there are players enough or half of the budget is used up."""
    empty, full = game.ends
    cells = _cells(game)
    boxes = [Box(np.arange(cells.count).reshape(cells.grid), full - empty)]
    outputs = list(watched) or list(range(full.shape[-1]))
    while len(boxes) < players and 2 * (game.evaluations + 4 * AT_ONCE) <= budget.evaluations:
        if 2 * seconds() > budget.seconds:
            break
        boxes.sort(key=lambda box: (box.cells.size > 1, float(np.abs(box.given[0, outputs]).max())))
        chosen = [box for box in boxes[-AT_ONCE:] if box.cells.size > 1]
        if not chosen:
            break
        halves = [half for box in chosen for half in _halved(box.cells, cells.grid)]
        boxes = boxes[: -len(chosen)] + _asked(game, cells, halves)
    return boxes


def _seen(quotient: Quotient, boxes: list[Box]) -> Attribution:
    """What the search itself saw of the boxes, with its sum made to fit."""
    empty, full = quotient.ends
    values = efficient(np.stack([box.given for box in boxes], axis=-1), (empty, full))
    return Attribution(quotient.by_cell(values), empty, full, quotient.evaluations, stopped="")


def _halved(box: Cells, grid: tuple[int, ...]) -> list[Cells]:
    """Cut across the axis along which the box takes the largest share of the volume."""
    shares = [length / whole if length > 1 else 0.0 for length, whole in zip(box.shape, grid, strict=True)]
    return np.array_split(box, 2, axis=int(np.argmax(shares)))


def _asked(game: Game, cells: Regions, halves: list[Cells]) -> list[Box]:
    alone = np.zeros((len(halves), cells.count), dtype=bool)
    for row, half in zip(alone, halves, strict=True):
        row[half.ravel()] = True
    answers = game.values(np.concatenate([alone, ~alone]), cells)
    empty, full = game.ends
    given = ((answers[: len(halves)] - empty) + (full - answers[len(halves) :])) / 2
    return [Box(half, one) for half, one in zip(halves, given, strict=True)]

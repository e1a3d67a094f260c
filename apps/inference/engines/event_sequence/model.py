"""Running a package of events: the runtime ``events``, a GRU that says what usually follows, p(x_t | x_1 … x_(t-1))."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from apps.inference.packages.card import Package, PackageRefused

WEIGHTS = "events.safetensors"
START, OTHER = 0, 1
"""Places in the vocabulary before its own: the beginning, and what is not in it."""
MEMORY = 200
"""Newest events that are read."""


class NextEvent(nn.Module):
    """(n, steps) places to (n, steps, places) log-odds of what follows."""

    def __init__(self, places: int, width: int = 32, hidden: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Embedding(places, width)
        self.cell = nn.GRU(width, hidden, batch_first=True)
        self.head = nn.Linear(hidden, places)

    def forward(self, events: torch.Tensor) -> torch.Tensor:
        states, _ = self.cell(self.embedding(events))
        return torch.as_tensor(self.head(states))


class Events:
    """A loaded package of events."""

    def __init__(self, package: Package) -> None:
        self.codes: list[str] = [label["code"] for label in package.card["events"]]
        self._places = {code: place for place, code in enumerate(self.codes, start=2)}
        weights = load_file(package.folder / WEIGHTS)
        self._model = NextEvent(len(self.codes) + 2, *_sizes(weights))
        self._model.load_state_dict(weights)
        self._model.eval()

    def place(self, token: str) -> int:
        """Of an event's code; its last parts may be unknown: ``value.2524-7.high`` is read as ``value``."""
        while token:
            if token in self._places:
                return self._places[token]
            token = token.rpartition(".")[0]
        return OTHER

    def following(self, tokens: Sequence[str]) -> list[tuple[str, float]]:
        """What follows these events, oldest first, as codes and probabilities, likeliest first."""
        places = [START, *(self.place(token) for token in tokens[-MEMORY:])]
        with torch.inference_mode():
            scores = self._model(torch.tensor([places]))[0, -1]
            scores[[START, OTHER]] = -torch.inf
            shares = scores.double().softmax(dim=0).numpy()
        order = np.argsort(-shares)
        return [(self.codes[place - 2], float(shares[place])) for place in order if place > OTHER]


def read_events(package: Package) -> Events:
    """The package's model.

    Raises:
        PackageRefused: if the files do not fit the card.
    """
    try:
        return Events(package)
    except (SafetensorError, KeyError, RuntimeError, OSError, TypeError) as error:
        raise PackageRefused(f"{package.name} {package.version}: {WEIGHTS} does not fit the card") from error


def _sizes(weights: dict[str, torch.Tensor]) -> tuple[int, int]:
    return weights["embedding.weight"].shape[1], weights["cell.weight_hh_l0"].shape[1]

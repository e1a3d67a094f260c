"""Filling blind indexes anew after a new index key."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
Reindexer = Callable[[Progress], None]

_REINDEXERS: dict[str, Reindexer] = {}


def register_reindexer(name: str, reindexer: Reindexer) -> None:
    """Tell how an app fills its blind indexes for every key of the keyring; safe to repeat, done again after a kill."""
    _REINDEXERS[name] = reindexer


def reindex(progress: Progress = lambda *_: None) -> None:
    """Fill all blind indexes for every key in the keyring, and drop those of keys that left it."""
    for reindexer in _REINDEXERS.values():
        reindexer(progress)

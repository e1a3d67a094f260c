"""Rebuilding blind indexes after rotation of the index key."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
Reindexer = Callable[[Progress], None]

_REINDEXERS: dict[str, Reindexer] = {}


def register_reindexer(name: str, reindexer: Reindexer) -> None:
    """Register an app's idempotent function that rebuilds its blind indexes for every key in the keyring."""
    _REINDEXERS[name] = reindexer


def reindex(progress: Progress = lambda *_: None) -> None:
    """Rebuild all blind indexes for every key in the keyring and drop the tokens of removed keys."""
    for reindexer in _REINDEXERS.values():
        reindexer(progress)

"""Erasing a holder: first the key, then everything it sealed."""

from __future__ import annotations

from apps.protection import blobs, keys
from apps.protection.models import holder_name
from apps.protection.records import blobs_of


def shred(holder: object) -> int:
    """Destroy the holder's key and delete its blobs; returns how many blobs.

    The key goes first: if anything fails later, what is left cannot be opened any more. Rows are the
    caller's to delete afterwards, as only it knows in which order. Safe to repeat.
    """
    names = list(blobs_of(holder))
    keys.destroy(holder_name(holder))
    for name in names:
        blobs.delete(name)
    return len(names)

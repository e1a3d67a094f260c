"""Crypto-shredding: destroy a holder's key, then everything it sealed."""

from __future__ import annotations

from apps.protection import blobs, keys
from apps.protection.models import holder_name
from apps.protection.records import blobs_of


def shred(holder: object) -> int:
    """Destroy the holder's key and delete its blobs; return the number of blobs.

    The key is destroyed first: if a later step fails, the remaining data can no longer be decrypted. Rows
    are left to the caller, which knows the order in which to delete them. Idempotent.
    """
    names = list(blobs_of(holder))
    keys.destroy(holder_name(holder))
    for name in names:
        blobs.delete(name)
    return len(names)

"""Key rotation of the keyring while the site runs."""

from __future__ import annotations

import time
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.protection import keyring, keys
from apps.protection.indexing import Progress, reindex
from apps.protection.models import DataKey

PROPAGATION_SECONDS = 2.0
"""Time after which every process has reloaded a changed keyring file."""


class KeyInUse(Exception):
    """An older key cannot be retired: data keys still depend on it."""


def rotate_master(*, progress: Progress = lambda *_: None, wait: bool = True) -> int:
    """Add a master key and re-wrap every data key with it; return the new key's id.

    The older master key stays in the keyring, to open backups of the key store, until :func:`retire_master`.
    """
    _change(lambda content: keyring.add_key(content, "master", primary=True), wait=wait)
    rewrap(progress=progress)
    return keyring.keyring().master_id


def rewrap(*, progress: Progress = lambda *_: None) -> int:
    """Re-wrap every data key with the newest master key; resumable. Return the number re-wrapped."""
    newest = keyring.keyring().master_id
    waiting = DataKey.objects.filter(destroyed_at=None).exclude(master_id=newest)
    holders = list(waiting.values_list("pk", flat=True))
    for number, holder in enumerate(holders, start=1):
        keys.rewrap(holder)
        progress("data keys", number, len(holders))
    return len(holders)


def retire_master(*, wait: bool = True) -> None:
    """Remove all master keys but the newest; older backups of the key store can no longer be decrypted.

    Raises:
        KeyInUse: if a data key is still wrapped by an older master key.
    """
    newest = keyring.keyring().master_id
    left = DataKey.objects.filter(destroyed_at=None).exclude(master_id=newest).count()
    if left:
        raise KeyInUse(f"{left} data keys are wrapped by older master keys: run 'manage.py keyring rewrap' first")
    _change(lambda content: keyring.keep_newest(content, "master"), wait=wait)


def rotate_index(*, progress: Progress = lambda *_: None, wait: bool = True) -> None:
    """Add an index key, compute all blind indexes with it, then drop the old key and its tokens.

    Search matches the tokens of any key in the keyring, so it keeps working. After an interruption
    the next call continues with the key already added.
    """
    if len(keyring.keyring().index_ids) == 1:
        _change(lambda content: keyring.add_key(content, "index", primary=False), wait=wait)
    reindex(progress)
    _change(lambda content: keyring.keep_newest(content, "index"), wait=wait)
    reindex(progress)


def rotate_signing() -> None:
    """Sign audit checkpoints with a new key; older keys still verify older checkpoints."""
    _change(lambda content: keyring.add_key(content, "signing", primary=True), wait=False)


def _change(change, *, wait: bool) -> None:  # type: ignore[no-untyped-def]
    if settings.KEYRING:
        raise ImproperlyConfigured(
            "the keyring comes from MEDPORTAL_KEYRING: write it to a file of mode 0600, set MEDPORTAL_KEYRING_FILE "
            "instead, rotate, and put the new content back"
        )
    path = Path(settings.KEYRING_FILE)
    keyring.replace(path, change(keyring.read(path)))
    keyring._from_file.cache_clear()
    keys.forget()
    if wait:
        time.sleep(PROPAGATION_SECONDS)

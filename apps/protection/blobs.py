"""Sealed blobs: byte strings that are encrypted before they reach the storage."""

from __future__ import annotations

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from apps.protection.keyring import keyring


def write(name: str, content: bytes) -> None:
    """Seal ``content`` under ``name``; a blob that is there already is replaced.

    The ciphertext is bound to its name: a blob moved to another name does not open.
    """
    store = _store()
    store.delete(name)
    saved = store.save(name, ContentFile(keyring().seal(content, f"blob:{name}")))
    if saved != name:
        store.delete(saved)
        raise FileExistsError(f"two writers of blob {name} at once")


def read(name: str) -> bytes:
    """Open the blob ``name``.

    Raises:
        FileNotFoundError: if there is none.
        CannotOpen: if the key is missing or the blob was damaged or moved.
    """
    with _store().open(name) as file:
        return keyring().open(file.read(), f"blob:{name}")


def exists(name: str) -> bool:
    """Whether there is a blob of this name."""
    return bool(_store().exists(name))


def delete(name: str) -> None:
    """Remove the blob; nothing happens if there is none."""
    _store().delete(name)


def _store() -> Storage:
    return storages["sealed"]

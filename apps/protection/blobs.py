"""Sealed blobs: byte strings that are encrypted before they reach the storage."""

from __future__ import annotations

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from apps.protection import keys


def write(name: str, content: bytes, *, holder: str) -> None:
    """Seal ``content`` under the holder's key as ``name``; a blob that is there already is replaced.

    The ciphertext is bound to holder and name: a blob moved to another name or holder does not open.
    """
    _store().save(name, ContentFile(keys.seal(holder, content, _place(name))))


def read(name: str, *, holder: str) -> bytes:
    """Open the blob ``name``.

    Raises:
        FileNotFoundError: if there is none.
        CannotOpen: if the key is missing or the blob was damaged or moved.
    """
    return keys.open_sealed(holder, _bytes(name), _place(name))


def reseal(name: str, *, holder: str) -> bool:
    """Seal the blob under the holder's newest key; False if it is already, or there is none."""
    try:
        sealed = _bytes(name)
    except FileNotFoundError:
        return False
    if keys.key_id_of(sealed) == keys.primary_id(holder):
        return False
    write(name, keys.open_sealed(holder, sealed, _place(name)), holder=holder)
    return True


def exists(name: str) -> bool:
    """Whether there is a blob of this name."""
    return bool(_store().exists(name))


def delete(name: str) -> None:
    """Remove the blob; nothing happens if there is none."""
    _store().delete(name)


def _bytes(name: str) -> bytes:
    with _store().open(name) as file:
        return bytes(file.read())


def _place(name: str) -> str:
    return f"blob:{name}"


def _store() -> Storage:
    return storages["sealed"]

"""Sealed blobs: byte strings encrypted before they are written to storage."""

from __future__ import annotations

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from apps.protection import keys


def write(name: str, content: bytes, *, holder: str) -> None:
    """Seal ``content`` under the holder's key as ``name``; an existing blob is replaced.

    The ciphertext is bound to holder and name: moved to another name or holder, a blob no longer decrypts.
    """
    _store().save(name, ContentFile(keys.seal(holder, content, _context(name))))


def read(name: str, *, holder: str) -> bytes:
    """Decrypt the blob ``name``.

    Raises:
        FileNotFoundError: if there is none.
        CannotOpen: if the key is missing or the blob was damaged or moved.
    """
    return keys.open_sealed(holder, _bytes(name), _context(name))


def reseal(name: str, *, holder: str) -> bool:
    """Re-encrypt the blob under the holder's newest key; False if it already is, or does not exist."""
    try:
        sealed = _bytes(name)
    except FileNotFoundError:
        return False
    if keys.key_id_of(sealed) == keys.primary_id(holder):
        return False
    write(name, keys.open_sealed(holder, sealed, _context(name)), holder=holder)
    return True


def exists(name: str) -> bool:
    """Return whether a blob of this name exists."""
    return bool(_store().exists(name))


def delete(name: str) -> None:
    """Delete the blob; no effect if it does not exist."""
    _store().delete(name)


def _bytes(name: str) -> bytes:
    with _store().open(name) as file:
        return bytes(file.read())


def _context(name: str) -> str:
    return f"blob:{name}"


def _store() -> Storage:
    return storages["sealed"]

"""Sealed blobs: byte strings encrypted before they are written to storage."""

from __future__ import annotations

from django.core.files.base import ContentFile

from apps.protection import containers, keys
from apps.protection.storage import sealed_store


def write(name: str, content: bytes, *, holder: str) -> None:
    """Seal ``content`` under the holder's key as ``name``; an existing blob is replaced.

    The ciphertext is bound to holder and name: moved to another name or holder, a blob no longer decrypts.
    """
    sealed_store().save(name, ContentFile(keys.seal(holder, content, _context(name))))


def read(name: str, *, holder: str) -> bytes:
    """Decrypt the blob ``name``.

    Raises:
        FileNotFoundError: if there is none.
        CannotOpen: if the key is missing or the blob was damaged or moved.
    """
    return keys.open_sealed(holder, _bytes(name), _context(name))


def reseal(name: str, *, holder: str) -> bool:
    """Re-encrypt a blob or container under the holder's newest key; False if it already is, or does not exist."""
    try:
        if containers.is_container(_start(name)):
            return containers.reseal(name, holder=holder)
        sealed = _bytes(name)
    except FileNotFoundError:
        return False
    if keys.key_id_of(sealed) == keys.primary_id(holder):
        return False
    write(name, keys.open_sealed(holder, sealed, _context(name)), holder=holder)
    return True


def exists(name: str) -> bool:
    """Return whether a blob of this name exists."""
    return bool(sealed_store().exists(name))


def delete(name: str) -> None:
    """Delete the blob; no effect if it does not exist."""
    sealed_store().delete(name)


def _start(name: str) -> bytes:
    with sealed_store().open(name) as file:
        return bytes(file.read(16))


def _bytes(name: str) -> bytes:
    with sealed_store().open(name) as file:
        return bytes(file.read())


def _context(name: str) -> str:
    return f"blob:{name}"

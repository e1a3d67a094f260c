"""The keys: one Tink keyset that seals, one that makes blind indexes.

Tink writes the id of the key into each ciphertext, so that a keyring can hold old and new keys at
once. The file is JSON, belongs to one user (mode 0600) and lies outside the database; in a
container its content may come from the environment instead.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import tink
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from tink import aead, json_proto_keyset_format, prf, secret_key_access

aead.register()
prf.register()

INDEX_BYTES = 16


class CannotOpen(Exception):
    """A ciphertext that no key of the keyring opens: wrong key, moved to another place, or damaged."""


@dataclass(frozen=True)
class Keyring:
    """Opened keys; never print, pickle or log one."""

    sealing: aead.Aead
    indexing: prf.PrfSet
    key_ids: tuple[int, ...]

    def seal(self, plaintext: bytes, place: str) -> bytes:
        """Encrypt with AES-256-GCM; ``place`` says where it belongs and is needed to open it."""
        return bytes(self.sealing.encrypt(plaintext, place.encode()))

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what :meth:`seal` made for the same place.

        Raises:
            CannotOpen: naming the key id, never the content.
        """
        try:
            return bytes(self.sealing.decrypt(bytes(sealed), place.encode()))
        except tink.TinkError:
            raise CannotOpen(_why(bytes(sealed), self.key_ids, place)) from None

    def index(self, purpose: str, value: str) -> str:
        """A keyed, one-way token of a value: equal values of one purpose have equal tokens.

        HMAC-SHA256 as a pseudorandom function, cut to 16 bytes, as 32 hex digits.
        """
        message = f"{purpose}\0{value}".encode()
        return bytes(self.indexing.primary().compute(message, INDEX_BYTES)).hex()


def keyring() -> Keyring:
    """The site's keyring, opened once a process.

    Raises:
        ImproperlyConfigured: if there is none, it is readable by others, or it is not a keyring.
    """
    return _open(settings.KEYRING, str(settings.KEYRING_FILE))


def create() -> str:
    """A new keyring's JSON with fresh keys."""
    sets = {"seal": aead.aead_key_templates.AES256_GCM, "index": prf.prf_key_templates.HMAC_SHA256}
    token = secret_key_access.TOKEN
    return json.dumps(
        {
            name: json.loads(json_proto_keyset_format.serialize(tink.new_keyset_handle(template), token))
            for name, template in sets.items()
        }
    )


def write(path: Path, content: str) -> None:
    """Write a keyring that only its owner may read.

    Raises:
        FileExistsError: rather than replace keys, without which the data cannot be opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)


@cache
def _open(content: str, path: str) -> Keyring:
    try:
        parts = json.loads(content or _read(Path(path)))
        handles = {
            name: json_proto_keyset_format.parse(json.dumps(parts[name]), secret_key_access.TOKEN)
            for name in ("seal", "index")
        }
    except (ValueError, KeyError, tink.TinkError):
        raise ImproperlyConfigured("the keyring is damaged: restore it from its backup") from None
    ids = tuple(key["keyId"] for key in parts["seal"]["key"])
    return Keyring(handles["seal"].primitive(aead.Aead), handles["index"].primitive(prf.PrfSet), ids)


def _read(path: Path) -> str:
    if not path.is_file():
        raise ImproperlyConfigured(
            f"no keyring at {path}: make one with 'manage.py keyring init', or set MEDPORTAL_KEYRING_FILE"
        )
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ImproperlyConfigured(f"{path} can be read by other users: run 'chmod 600 {path}'")
    return path.read_text()


def _why(sealed: bytes, known: tuple[int, ...], place: str) -> str:
    """Tink's prefix is a version byte 1 and the key's id, big-endian."""
    if len(sealed) < 5 or sealed[0] != 1:
        return f"{place}: not a sealed value"
    key_id = int.from_bytes(sealed[1:5], "big")
    if key_id not in known:
        return f"{place}: sealed with key {key_id}, which is not in the keyring: restore that key"
    return f"{place}: key {key_id} does not open it: it was damaged or moved here from another place"

"""The keyring: the root keys, kept outside the database.

It holds three Tink keysets. ``master`` (AES-256-GCM) wraps the data keys of :mod:`apps.protection.keys`,
``index`` (HMAC-SHA256 as a PRF) computes blind indexes, ``signing`` (Ed25519) signs audit checkpoints.
Each can hold old and new keys side by side: Tink puts the key's id into its output.

The file is JSON with mode 0600, stored outside the database; in a container its
content may come from the environment. With ``MEDPORTAL_KMS`` the keysets in it are themselves encrypted
by a key management service, which each process calls once.
"""

from __future__ import annotations

import base64
import json
import os
import stat
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import tink
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from tink import aead, json_proto_keyset_format, prf, secret_key_access, signature

from apps.protection.kms import kms_aead

aead.register()
prf.register()
signature.register()

FORMAT = 2
TEMPLATES = {
    "master": aead.aead_key_templates.AES256_GCM,
    "index": prf.prf_key_templates.HMAC_SHA256,
    "signing": signature.signature_key_templates.ED25519,
}
_TOKEN = secret_key_access.TOKEN
_DAMAGED = "the keyring is damaged: restore it from its backup"
_RELOAD_SECONDS = 1.0


@dataclass(frozen=True)
class Keyring:
    """Decrypted keys; never print, pickle or log an instance."""

    master: aead.Aead
    master_ids: tuple[int, ...]
    """Newest last; the last one wraps new data keys."""
    indexing: prf.PrfSet
    signer: signature.PublicKeySign
    verifier: signature.PublicKeyVerify

    @property
    def master_id(self) -> int:
        """Id of the master key that wraps new data keys."""
        return self.master_ids[-1]

    @property
    def index_ids(self) -> tuple[int, ...]:
        """Ids of the index keys, the primary one first."""
        primary = self.indexing.primary_id()
        return (primary, *(key_id for key_id in self.indexing.all() if key_id != primary))

    def indexes(self, purpose: str, value: str, *, bits: int = 128) -> dict[int, str]:
        """Compute the blind-index tokens of a value, one per index key, by key id.

        HMAC-SHA256 as a pseudorandom function, truncated to ``bits``. Few bits make unequal values share a
        token: the index leaks less, and the caller has to filter the matches after decryption.

        Args:
            bits: a multiple of 4, at most 128.
        """
        message = f"{purpose}\0{value}".encode()
        return {
            key_id: bytes(function.compute(message, 16)).hex()[: bits // 4]
            for key_id, function in self.indexing.all().items()
        }

    def index(self, purpose: str, value: str, *, bits: int = 128) -> str:
        """Compute the token under the primary index key."""
        return self.indexes(purpose, value, bits=bits)[self.indexing.primary_id()]


def keyring() -> Keyring:
    """Return the site's keyring. A changed file is reloaded within a second, so keys can rotate at run time.

    Raises:
        ImproperlyConfigured: if the file is missing, readable by other users, or not a keyring.
    """
    if settings.KEYRING:
        return _open(settings.KEYRING, settings.KMS)
    return _from_file(str(settings.KEYRING_FILE), settings.KMS, int(time.monotonic() / _RELOAD_SECONDS))


def create() -> str:
    """Return the JSON of a new keyring with fresh keys, encrypted by the KMS if one is configured."""
    return _pack({name: _cleartext(tink.new_keyset_handle(template)) for name, template in TEMPLATES.items()})


def add_key(content: str, name: str, *, primary: bool) -> str:
    """Return the keyring's JSON with one more key in the keyset ``name``.

    Args:
        primary: whether the new key is used for new output; otherwise it only decrypts or verifies.
    """
    keysets = _unpack(content)
    fresh = _cleartext(tink.new_keyset_handle(TEMPLATES[name]))
    keysets[name]["key"].append(fresh["key"][0])
    if primary:
        keysets[name]["primaryKeyId"] = fresh["primaryKeyId"]
    return _pack(keysets)


def keep_newest(content: str, name: str) -> str:
    """Return the keyring's JSON with only the newest key of the keyset ``name``, made primary."""
    keysets = _unpack(content)
    newest = keysets[name]["key"][-1]
    keysets[name] = {"primaryKeyId": newest["keyId"], "key": [newest]}
    return _pack(keysets)


def write(path: Path, content: str) -> None:
    """Write a new keyring file that only its owner may read.

    Raises:
        FileExistsError: if the file exists, since replacing keys would lose the data sealed with them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)


def replace(path: Path, content: str) -> None:
    """Replace the keyring file atomically."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".keyring-")
    with os.fdopen(handle, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)


def read(path: Path) -> str:
    """Read the keyring file.

    Raises:
        ImproperlyConfigured: if it is missing, or readable by other users.
    """
    if not path.is_file():
        raise ImproperlyConfigured(
            f"no keyring at {path}: make one with 'manage.py keyring init', or set MEDPORTAL_KEYRING_FILE"
        )
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ImproperlyConfigured(f"{path} can be read by other users: run 'chmod 600 {path}'")
    return path.read_text()


@lru_cache(maxsize=2)
def _from_file(path: str, kms: str, second: int) -> Keyring:
    return _open(read(Path(path)), kms)


@lru_cache(maxsize=4)
def _open(content: str, kms: str) -> Keyring:
    keysets = _unpack(content, kms)
    try:
        handles = {name: json_proto_keyset_format.parse(json.dumps(keysets[name]), _TOKEN) for name in TEMPLATES}
        return Keyring(
            master=handles["master"].primitive(aead.Aead),
            master_ids=tuple(key["keyId"] for key in keysets["master"]["key"]),
            indexing=handles["index"].primitive(prf.PrfSet),
            signer=handles["signing"].primitive(signature.PublicKeySign),
            verifier=handles["signing"].public_keyset_handle().primitive(signature.PublicKeyVerify),
        )
    except (KeyError, tink.TinkError):
        raise ImproperlyConfigured(_DAMAGED) from None


def _cleartext(handle: tink.KeysetHandle) -> dict[str, Any]:
    keyset: dict[str, Any] = json.loads(json_proto_keyset_format.serialize(handle, _TOKEN))
    return keyset


def _pack(keysets: Mapping[str, Any]) -> str:
    if not settings.KMS:
        return json.dumps({"format": FORMAT, **keysets})
    sealed = kms_aead(settings.KMS).encrypt(json.dumps(keysets).encode(), b"")
    return json.dumps({"format": FORMAT, "kms": settings.KMS, "sealed": base64.b64encode(sealed).decode()})


def _unpack(content: str, kms: str | None = None) -> dict[str, Any]:
    kms = settings.KMS if kms is None else kms
    try:
        parts = json.loads(content)
        if not isinstance(parts, dict) or parts.get("format") != FORMAT:
            raise ImproperlyConfigured(
                "the keyring is of another version: reset the demo with 'make demo-reset'"
                if isinstance(parts, dict) and "seal" in parts
                else _DAMAGED
            )
        if "sealed" not in parts:
            return {name: parts[name] for name in TEMPLATES}
        if not kms:
            raise ImproperlyConfigured(f"the keyring is sealed by {parts['kms']}: set MEDPORTAL_KMS to it")
        opened = kms_aead(kms).decrypt(base64.b64decode(parts["sealed"]), b"")
        keysets: dict[str, Any] = json.loads(opened)
        return keysets
    except (ValueError, KeyError):
        raise ImproperlyConfigured(_DAMAGED) from None
    except tink.TinkError:
        raise ImproperlyConfigured(
            f"{kms} does not open the keyring: check that it can be reached, its token, and that it is the same key"
        ) from None

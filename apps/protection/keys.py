"""Data keys: one keyset per holder, wrapped by the master key (envelope encryption).

A process caches decrypted keysets for ``KEY_CACHE_SECONDS`` and never seals with an older one, so a
re-encryption can rely on every process using the new key after that time.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import tink
from django.conf import settings
from django.db import IntegrityError, connections, transaction
from django.utils import timezone
from tink import aead, json_proto_keyset_format, proto_keyset_format, secret_key_access

from apps.protection.keyring import Keyring, keyring
from apps.protection.models import DataKey
from apps.protection.router import KEYS

CACHE_SIZE = 4096
_TOKEN = secret_key_access.TOKEN
_TEMPLATE = aead.aead_key_templates.AES256_GCM


class CannotOpen(Exception):
    """A ciphertext that does not decrypt: wrong key, moved to another row or name, or damaged. Names the key id."""


class KeyDestroyed(CannotOpen):
    """The holder was erased: its data can no longer be decrypted."""


@dataclass(frozen=True)
class OpenedKeys:
    """A holder's decrypted keys. Never print, pickle or log an instance."""

    aead: aead.Aead
    primary_id: int
    ids: tuple[int, ...]
    read_at: float


_cache: OrderedDict[str, OpenedKeys] = OrderedDict()
_lock = threading.Lock()


def seal(holder: str, plaintext: bytes, context: str) -> bytes:
    """Encrypt with AES-256-GCM under the holder's newest key; the first use creates a key.

    Args:
        context: where the value belongs. Holder and context are the associated data needed to decrypt it.

    Raises:
        KeyDestroyed: if the holder was erased.
    """
    keys = _fresh(holder, create=True)
    return bytes(keys.aead.encrypt(plaintext, _associated_data(holder, context)))


def open_sealed(holder: str, sealed: bytes, context: str) -> bytes:
    """Decrypt the output of :func:`seal` for the same holder and context.

    Raises:
        CannotOpen: naming the key id, never the content.
    """
    sealed = bytes(sealed)
    keys = _fresh(holder, create=False)
    if key_id_of(sealed) not in keys.ids:
        forget(holder)
        keys = _fresh(holder, create=False)
    try:
        return bytes(keys.aead.decrypt(sealed, _associated_data(holder, context)))
    except tink.TinkError:
        raise CannotOpen(_diagnosis(sealed, keys.ids, holder, context)) from None


def warm(holders: Iterable[str]) -> None:
    """Load the keys of many holders in one query, before a page needs them one by one."""
    now = time.monotonic()
    missing = [holder for holder in set(holders) if not _is_fresh(_cache.get(holder), now)]
    if missing:
        ring = keyring()
        for row in DataKey.objects.filter(holder__in=missing, destroyed_at=None):
            _remember(row.holder, _unwrap(row, ring))


def is_at_hand(holder: str) -> bool:
    """Return whether the holder's keys are cached, so that opening needs no database."""
    return _is_fresh(_cache.get(holder), time.monotonic())


def primary_id(holder: str) -> int:
    """Return the id of the key that currently seals the holder's data."""
    return _fresh(holder, create=True).primary_id


def key_id_of(sealed: bytes) -> int | None:
    """Return the key id in Tink's prefix (version byte 1, then the id, big-endian); None without a prefix."""
    return int.from_bytes(sealed[1:5], "big") if len(sealed) >= 5 and sealed[0] == 1 else None


def renew(holder: str) -> None:
    """Add a new primary key for the holder; the older keys still decrypt."""
    with transaction.atomic(using=KEYS):
        row = DataKey.objects.select_for_update().get(pk=holder)
        if row.destroyed_at:
            return
        ring = keyring()
        keyset = _keyset(row, ring)
        fresh = json.loads(json_proto_keyset_format.serialize(tink.new_keyset_handle(_TEMPLATE), _TOKEN))
        keyset["key"].append(fresh["key"][0])
        keyset["primaryKeyId"] = fresh["primaryKeyId"]
        _store(row, keyset, ring)
        row.renewed_at = timezone.now()
        row.save()
    forget(holder)


def drop_old(holder: str) -> None:
    """Keep only the newest key; data sealed with older ones can no longer be decrypted."""
    with transaction.atomic(using=KEYS):
        row = DataKey.objects.select_for_update().get(pk=holder)
        if not row.destroyed_at:
            ring = keyring()
            keyset = _keyset(row, ring)
            keyset["key"] = [key for key in keyset["key"] if key["keyId"] == keyset["primaryKeyId"]]
            _store(row, keyset, ring)
            row.save()
    forget(holder)


def rewrap(holder: str) -> None:
    """Re-wrap the holder's keys with the newest master key."""
    with transaction.atomic(using=KEYS):
        row = DataKey.objects.select_for_update().get(pk=holder)
        ring = keyring()
        if not row.destroyed_at and row.master_id != ring.master_id:
            _store(row, _keyset(row, ring), ring)
            row.save()


def destroy(holder: str) -> None:
    """Destroy the holder's keys for ever: every copy of the sealed data becomes unreadable.

    The row stays, without keys, so that no new key is ever created for this holder.
    """
    gone = {"keyset": b"", "destroyed_at": timezone.now()}
    if not DataKey.objects.filter(pk=holder).update(**gone):
        DataKey.objects.create(pk=holder, master_id=0, **gone)
    forget(holder)
    _scrub()


def forget(holder: str | None = None) -> None:
    """Drop one holder's decrypted keys, or all, from this process's cache."""
    with _lock:
        if holder is None:
            _cache.clear()
        else:
            _cache.pop(holder, None)


def _associated_data(holder: str, context: str) -> bytes:
    return f"{holder}|{context}".encode()


def _is_fresh(keys: OpenedKeys | None, now: float) -> bool:
    return keys is not None and now - keys.read_at < settings.KEY_CACHE_SECONDS


def _fresh(holder: str, *, create: bool) -> OpenedKeys:
    keys = _cache.get(holder)
    if keys is not None and _is_fresh(keys, time.monotonic()):
        return keys
    row = DataKey.objects.filter(pk=holder).first() or (_create(holder) if create else None)
    if row is None:
        raise CannotOpen(f"there is no key of {holder} in the key store: restore the database of keys")
    if row.destroyed_at:
        forget(holder)
        raise KeyDestroyed(f"the key of {holder} was destroyed on {row.destroyed_at:%Y-%m-%d}: the record was erased")
    return _remember(holder, _unwrap(row, keyring()))


def _remember(holder: str, keys: OpenedKeys) -> OpenedKeys:
    with _lock:
        _cache[holder] = keys
        _cache.move_to_end(holder)
        while len(_cache) > CACHE_SIZE:
            _cache.popitem(last=False)
    return keys


def _create(holder: str) -> DataKey:
    """Create a holder's first key; of two concurrent processes one creates it and both use it."""
    ring = keyring()
    sealed = proto_keyset_format.serialize_encrypted(tink.new_keyset_handle(_TEMPLATE), ring.master, holder.encode())
    try:
        with transaction.atomic(using=KEYS):
            return DataKey.objects.create(holder=holder, keyset=sealed, master_id=ring.master_id)
    except IntegrityError:
        return DataKey.objects.get(pk=holder)


def _unwrap(row: DataKey, ring: Keyring) -> OpenedKeys:
    handle = _handle(row, ring)
    info = handle.keyset_info()
    return OpenedKeys(
        aead=handle.primitive(aead.Aead),
        primary_id=info.primary_key_id,
        ids=tuple(key.key_id for key in info.key_info),
        read_at=time.monotonic(),
    )


def _handle(row: DataKey, ring: Keyring) -> tink.KeysetHandle:
    try:
        return proto_keyset_format.parse_encrypted(bytes(row.keyset), ring.master, row.holder.encode())
    except tink.TinkError:
        if row.master_id not in ring.master_ids:
            problem = f"the key of {row.holder} is wrapped by master key {row.master_id}, which is not in the keyring"
            raise CannotOpen(f"{problem}: restore that master key") from None
        raise CannotOpen(f"the key of {row.holder} is damaged: master key {row.master_id} does not open it") from None


def _keyset(row: DataKey, ring: Keyring) -> dict[str, list[dict[str, object]]]:
    keyset: dict[str, list[dict[str, object]]] = json.loads(
        json_proto_keyset_format.serialize(_handle(row, ring), _TOKEN)
    )
    return keyset


def _store(row: DataKey, keyset: dict[str, list[dict[str, object]]], ring: Keyring) -> None:
    handle = json_proto_keyset_format.parse(json.dumps(keyset), _TOKEN)
    row.keyset = proto_keyset_format.serialize_encrypted(handle, ring.master, row.holder.encode())
    row.master_id = ring.master_id


def _scrub() -> None:
    """Purge the old bytes from the database files; not possible inside a transaction."""
    connection = connections[KEYS]
    if connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        elif connection.vendor == "postgresql":
            cursor.execute("VACUUM protection_datakey")


def _diagnosis(sealed: bytes, known: tuple[int, ...], holder: str, context: str) -> str:
    key_id = key_id_of(sealed)
    if key_id is None:
        return f"{context}: not a sealed value"
    if key_id not in known:
        return (
            f"{context}: sealed with key {key_id}, which {holder} does not have: it was moved here, or the key is lost"
        )
    return f"{context}: key {key_id} does not open it: it was damaged or moved here from another place"

"""The hash chain of the audit trail: linking, signed checkpoints, verification.

Each entry's digest is SHA-256 over the previous digest and the entry's content (after
Schneier & Kelsey 1999, "Secure audit logs to support computer forensics"). Whoever alters an entry could
recompute a bare chain, so its head is signed periodically with a key outside the
database. Changes to entries covered by a checkpoint are detected. Keep checkpoints elsewhere too
(``manage.py audit checkpoint`` prints one), so that a truncated trail is detected as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import tink
from django.db import connection, transaction

from apps.accounts.models import AuditCheckpoint, AuditEntry, AuditHead
from apps.protection.keyring import keyring

FIELDS = (
    "pk", "at", "actor_id", "role", "system_reason", "action", "outcome", "object_type", "object_id",
    "patient_ref", "why", "source", "session", "facts",
)  # fmt: skip
"""Fields covered by an entry's digest, in this order."""


@dataclass(frozen=True)
class Problem:
    """A discrepancy found in the trail, and where."""

    sequence: int
    entry: str
    text: str


@dataclass(frozen=True)
class VerificationResult:
    """Result of a verification."""

    entries: int
    checkpoints: int
    unlinked: int
    problems: list[Problem]


def content(values: tuple[Any, ...]) -> bytes:
    """Serialise an entry's :data:`FIELDS` to canonical JSON."""
    pk, at, *rest = values
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(at, datetime) else at
    return json.dumps([str(pk), stamp, *rest], ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def link_new(entry: AuditEntry) -> None:
    """Save an entry as the next link of the chain; call it in a transaction that holds no other locks."""
    head = _head()
    entry.sequence = head.sequence + 1
    entry.digest = _digest(head.digest, _values(entry))
    entry.save(force_insert=True)
    _advance(head, entry.sequence, entry.digest)


def link_waiting() -> int:
    """Link entries written within other transactions; return how many.

    Runs in a separate transaction, so that the lock on the chain's head is the only one
    held and two writers cannot deadlock.
    """
    with transaction.atomic():
        head = _head()
        sequence, digest = head.sequence, head.digest
        waiting = list(AuditEntry.objects.filter(sequence=None).order_by("at", "pk"))
        for entry in waiting:
            sequence, digest = sequence + 1, _digest(digest, _values(entry))
            entry.sequence, entry.digest = sequence, digest
        if waiting:
            _store_links(waiting)
            _advance(head, sequence, digest)
    return len(waiting)


def _store_links(entries: list[AuditEntry]) -> None:
    """Write sequence and digest of many entries; ``bulk_update`` takes longer to build its statement than this runs."""
    meta, quote = AuditEntry._meta, connection.ops.quote_name
    columns = [quote(meta.get_field(name).column) for name in ("sequence", "digest", "id")]  # type: ignore[union-attr, arg-type]
    # The names come from the model.
    statement = f"UPDATE {quote(meta.db_table)} SET {columns[0]} = %s, {columns[1]} = %s WHERE {columns[2]} = %s"  # noqa: S608
    prepare = meta.pk.get_db_prep_value
    rows = [(entry.sequence, entry.digest, prepare(entry.pk, connection)) for entry in entries]
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def checkpoint() -> AuditCheckpoint | None:
    """Sign the chain's head; None if it is empty or already signed."""
    link_waiting()
    head = AuditHead.objects.filter(pk=1).first()
    if head is None or AuditCheckpoint.objects.filter(sequence=head.sequence).exists():
        return None
    signature = keyring().signer.sign(_statement(head.sequence, head.digest))
    return AuditCheckpoint.objects.create(sequence=head.sequence, digest=head.digest, signature=signature)


def verify(
    *, expected: list[tuple[int, str]] | None = None, progress: Callable[[int], None] = lambda _: None
) -> VerificationResult:
    """Recompute the whole chain and compare it with the stored digests and checkpoints.

    Args:
        expected: further checkpoints (sequence, digest), kept outside the database.
        progress: called with the number of entries read, every 10,000 entries.
    """
    problems: list[Problem] = []
    signed = _checkpoints(problems) | dict(expected or [])
    count = 0
    last_good = 0
    previous = ""
    next_sequence = 1
    for sequence, digest, entry_id, computed in _chain():
        if sequence != next_sequence:
            text = (
                f"entries {next_sequence} to {sequence - 1} were removed"
                if sequence > next_sequence
                else "numbered twice"
            )
            problems.append(Problem(next_sequence, "", text))
        elif computed(previous) != digest:
            problems.append(
                Problem(sequence, entry_id, "the entry was changed, reordered, or the one before it removed")
            )
        if sequence in signed:
            if signed.pop(sequence) == digest:
                last_good = sequence
            else:
                text = f"differs from the checkpoint: something since entry {last_good + 1} was rewritten"
                problems.append(Problem(sequence, entry_id, text))
        previous, next_sequence, count = digest, sequence + 1, count + 1
        if not count % 10_000:
            progress(count)
    problems.extend(
        Problem(sequence, "", f"the trail ends at {next_sequence - 1}, but entry {sequence} was signed")
        for sequence in sorted(signed)
    )
    head = AuditHead.objects.filter(pk=1).first()
    if head is not None and head.sequence != next_sequence - 1 and not signed:
        problems.append(
            Problem(head.sequence, "", f"the trail ends at {next_sequence - 1}, its head at {head.sequence}")
        )
    unlinked = AuditEntry.objects.filter(sequence=None).count()
    return VerificationResult(count, AuditCheckpoint.objects.count(), unlinked, problems)


def _chain() -> Iterator[tuple[int, str, str, Callable[[str], str]]]:
    rows = AuditEntry.objects.exclude(sequence=None).order_by("sequence").values_list("sequence", "digest", *FIELDS)
    for sequence, digest, *values in rows.iterator(chunk_size=5000):

        def computed(previous: str, values: list[Any] = values) -> str:
            return _digest(previous, tuple(values))

        yield sequence, digest, str(values[0]), computed


def _checkpoints(problems: list[Problem]) -> dict[int, str]:
    """Return the signed digests by sequence; an invalid signature is added to the problems."""
    verifier = keyring().verifier
    signed = {}
    for point in AuditCheckpoint.objects.all():
        try:
            verifier.verify(bytes(point.signature), _statement(point.sequence, point.digest))
        except tink.TinkError:
            problems.append(Problem(point.sequence, "", "the signature of this checkpoint does not hold"))
        else:
            signed[point.sequence] = point.digest
    return signed


def _head() -> AuditHead:
    head = AuditHead.objects.select_for_update().filter(pk=1).first()
    if head is None:
        AuditHead.objects.get_or_create(pk=1)
        head = AuditHead.objects.select_for_update().get(pk=1)
    return head


def _advance(head: AuditHead, sequence: int, digest: str) -> None:
    AuditHead.objects.filter(pk=head.pk).update(sequence=sequence, digest=digest)


def _values(entry: AuditEntry) -> tuple[Any, ...]:
    return tuple(getattr(entry, name) for name in FIELDS)


def _digest(previous: str, values: tuple[Any, ...]) -> str:
    return hashlib.sha256(previous.encode() + content(values)).hexdigest()


def _statement(sequence: int, digest: str) -> bytes:
    return f"medportal audit {sequence} {digest}".encode()


def newest_checkpoint() -> AuditCheckpoint | None:
    """Return the latest checkpoint."""
    return AuditCheckpoint.objects.order_by("-sequence").first()

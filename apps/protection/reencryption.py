"""Re-encrypting all data under new data keys while the site runs.

1. Every holder gets a new key. The run waits ``KEY_CACHE_SECONDS``, until every process uses it.
2. Rows and blobs sealed with an older key are re-encrypted one by one. A row changed meanwhile is skipped:
   its writer has already sealed it with the new key.
3. A long upload may have sealed blobs with an older key before step 1 and write its rows after step 2.
   So after ``REENCRYPT_GRACE_SECONDS``, longer than any request, a second pass runs over all data before the
   older keys are dropped.

The run is resumable: after an interruption the next call continues from the last row.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.protection import blobs, keys
from apps.protection.fields import Sealed, SealedField
from apps.protection.models import DataKey, Reencryption, SealedRecord
from apps.protection.records import rows, sealed_fields, sealed_models

BATCH = 500
Progress = Callable[[str, int, int], None]


def reencrypt(*, progress: Progress = lambda *_: None, wait: bool = True) -> Reencryption:
    """Start a re-encryption, or resume the unfinished one.

    Args:
        progress: called with the name of the step, the number done and the total.
        wait: whether to wait until other processes use the new keys; only tests skip this.
    """
    run = Reencryption.objects.filter(finished_at=None).first() or Reencryption.objects.create()
    if run.keys_made_at is None:
        _make_keys(run, progress)
    if wait:
        assert run.keys_made_at is not None
        until = run.keys_made_at + timedelta(seconds=settings.KEY_CACHE_SECONDS + 2)
        time.sleep(max(0.0, (until - timezone.now()).total_seconds()))
    if run.moved_at is None:
        _move_all(run, progress)
        run.moved_at = timezone.now()
        run.save()
    if timezone.now() >= finishable_at(run):
        _move_all(run, progress)
        _drop_old_keys(progress)
        run.finished_at = timezone.now()
        run.save()
    return run


def finishable_at(run: Reencryption) -> datetime:
    """Return when the older keys may be dropped.

    Raises:
        ValueError: if the first pass is not finished.
    """
    if run.moved_at is None:
        raise ValueError("the first pass is not finished")
    return run.moved_at + timedelta(seconds=settings.REENCRYPT_GRACE_SECONDS)


def _move_all(run: Reencryption, progress: Progress) -> None:
    for model in sealed_models():
        _move(run, model, progress)
    run.cursor = {}
    run.save()


def _make_keys(run: Reencryption, progress: Progress) -> None:
    old = DataKey.objects.filter(destroyed_at=None, renewed_at__lt=run.started_at)
    holders = list(old.values_list("pk", flat=True))
    for number, holder in enumerate(holders, start=1):
        keys.renew(holder)
        progress("new keys", number, len(holders))
    run.keys_made_at = timezone.now()
    run.save()


def _move(run: Reencryption, model: type[SealedRecord], progress: Progress) -> None:
    table = model._meta.db_table
    if table in run.cursor and run.cursor[table] is None:
        return
    fields = sealed_fields(model)
    total, done = model._base_manager.count(), 0
    while True:
        remaining = rows(model).order_by("pk")
        if run.cursor.get(table):
            remaining = remaining.filter(pk__gt=run.cursor[table])
        batch = list(remaining[:BATCH])
        if not batch:
            break
        keys.warm(row.key_holder for row in batch)
        for row in batch:
            run.rows += _move_row(row, fields)
            run.blobs += sum(blobs.reseal(name, holder=row.key_holder) for name in row.sealed_blobs())
        done += len(batch)
        run.cursor[table] = str(batch[-1].pk)
        run.save()
        progress(table, min(done, total), total)
    run.cursor[table] = None
    run.save()


def _move_row(row: SealedRecord, fields: list[SealedField]) -> bool:
    """Re-encrypt a row's values by compare-and-set, so that a concurrent change is never overwritten."""
    primary = keys.primary_id(row.key_holder)
    moved = False
    for field in fields:
        old = row.__dict__.get(field.attname)
        if isinstance(old, Sealed) and keys.key_id_of(old) != primary:
            moved |= _swap(row, field, old, field.sealed(field.unseal(old, row), row))
    return moved


def _swap(row: SealedRecord, field: SealedField, old: bytes, new: bytes) -> bool:
    quote = connection.ops.quote_name
    pk = row._meta.pk
    assert pk is not None and pk.column and field.column
    table, column, key = quote(row._meta.db_table), quote(field.column), quote(pk.column)
    # The names come from the models.
    statement = f"UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column} = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [bytes(new), pk.get_db_prep_value(row.pk, connection), bytes(old)])
        return bool(cursor.rowcount)


def _drop_old_keys(progress: Progress) -> None:
    holders = list(DataKey.objects.filter(destroyed_at=None).values_list("pk", flat=True))
    for number, holder in enumerate(holders, start=1):
        keys.drop_old(holder)
        progress("old keys", number, len(holders))

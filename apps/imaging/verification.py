"""Verification of the archive: every stored file is read and compared with the digest of what was received.

Also finds what no row refers to: an upload that was killed leaves its container behind. The run is resumable: after an
interruption the next call goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import Storage
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.imaging.models import ArchiveVerification, Instance, QuarantinedFile
from apps.protection import blobs, containers, keys
from apps.protection.storage import sealed_store

BATCH = 200
MAX_LISTED = 10_000
Progress = Callable[[str, int, int], None]
Stored = Instance | QuarantinedFile


def verify_archive(
    *, actor: Actor, progress: Progress = lambda *_: None, delete_orphans: bool = True
) -> ArchiveVerification:
    """Verify the archive, or go on with the unfinished run.

    Args:
        progress: called with the name of the step, the number done and the total.
        delete_orphans: whether files without a row are deleted after the time of grace; else they are only counted.
    """
    run = ArchiveVerification.objects.filter(finished_at=None).first() or ArchiveVerification.objects.create()
    _check(run, "instances", Instance.every.select_related("series__study"), progress)
    _check(run, "quarantined", QuarantinedFile.objects.filter(decision=""), progress)
    run.orphans, run.orphan_bytes = _orphans(delete_orphans, progress)
    run.finished_at = timezone.now()
    run.save()
    audit.record(
        actor,
        "archive.verified",
        checked=run.checked,
        problems=len(run.problems),
        orphans=run.orphans,
        deleted=delete_orphans,
    )
    return run


def _check(run: ArchiveVerification, name: str, rows: QuerySet[Any], progress: Progress) -> None:
    if run.cursor.get(name, "") is None:
        return
    total, done = rows.count(), 0
    if run.cursor.get(name):
        done = rows.filter(pk__lte=run.cursor[name]).count()
    while True:
        batch = list(_after(rows, run.cursor.get(name))[:BATCH])
        if not batch:
            break
        keys.warm({row.key_holder for row in batch})
        for row in batch:
            problem = problem_of(row)
            if problem and len(run.problems) < MAX_LISTED:
                run.problems.append({"kind": name, "id": str(row.pk), "problem": problem})
            run.checked += 1
            done += 1
            progress(name, done, total)
        run.cursor[name] = str(batch[-1].pk)
        run.save()
    run.cursor[name] = None
    run.save()


def _after(rows: QuerySet[Any], cursor: str | None) -> QuerySet[Any]:
    ordered = rows.order_by("pk")
    return ordered.filter(pk__gt=cursor) if cursor else ordered


def problem_of(row: Stored) -> str:
    """Return what is wrong with a stored file: ``lost``, ``damaged``, ``differs``; empty if nothing is."""
    digest = hashlib.sha256()
    try:
        with containers.SealedContainer(row.blob, holder=row.key_holder) as file:
            for piece in file.pieces():
                digest.update(piece)
            size = file.size
    except FileNotFoundError:
        # Deleted, or decided on, while the run went on?
        return "lost" if type(row)._base_manager.filter(pk=row.pk).exists() and _still_held(row) else ""
    except keys.KeyDestroyed:
        return ""  # erased while the run went on
    except keys.CannotOpen:
        return "damaged"
    return "" if digest.hexdigest() == row.content_digest and size == row.size else "differs"


def _still_held(row: Stored) -> bool:
    return not isinstance(row, QuarantinedFile) or QuarantinedFile.objects.filter(pk=row.pk, decision="").exists()


def _orphans(delete: bool, progress: Progress) -> tuple[int, int]:
    """Count, and delete, the containers that no row refers to; return their number and bytes."""
    store, until = sealed_store(), timezone.now() - timedelta(seconds=settings.ARCHIVE_GRACE_SECONDS)
    count = size = 0
    folders: list[tuple[str, type[Stored]]] = [("held", QuarantinedFile)]
    folders += [(f"instances/{first:02x}", Instance) for first in range(256)]
    for number, (folder, model) in enumerate(folders, start=1):
        for name in _files(store, folder):
            if store.get_modified_time(name) < until and not _is_known(model, name.rsplit("/", 1)[-1]):
                count, size = count + 1, size + store.size(name)
                if delete:
                    blobs.delete(name)
        progress("files without a row", number, len(folders))
    return count, size


def _files(store: Storage, folder: str) -> Iterator[str]:
    try:
        _folders, files = store.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from (f"{folder}/{name}" for name in files)


def _is_known(model: type[Stored], name: str) -> bool:
    """Return whether a row refers to the file; one that is still being written has no such name."""
    try:
        return model._base_manager.filter(pk=uuid.UUID(name)).exists()
    except ValueError:
        return False

"""File storage with atomic replacement."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage, Storage, storages


def sealed_store() -> Storage:
    """Return the storage of sealed blobs and containers."""
    return storages["sealed"]


class AtomicFileStorage(FileSystemStorage):
    """Writes a temporary file and renames it: readers and crashes see the old or the new content, never a mix.

    A file is on disk, under its name, when :meth:`save` returns: what was acknowledged survives a power cut.
    """

    writes_chunks = True
    """Takes any content with ``chunks()``, without reading it as a file."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return the name unchanged: an existing blob is replaced."""
        return name

    def _save(self, name: str, content: Any) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                if _waiting.paths is None:
                    os.fdatasync(file.fileno())
            Path(temporary).replace(path)
            if _waiting.paths is None:
                _sync(path.parent)
            else:
                _waiting.paths.append(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return name


class _Waiting(threading.local):
    paths: list[Path] | None = None


_waiting = _Waiting()
_syncing = ThreadPoolExecutor(4, thread_name_prefix="sync")
"""Syncs that run at once share the journal's commits."""


@contextmanager
def synced_together() -> Iterator[None]:
    """Write the files saved within to disk at its end: of many, the first sync does most of the work for all."""
    outer = _waiting.paths
    paths: list[Path] = []
    _waiting.paths = paths
    try:
        yield
    finally:
        _waiting.paths = outer
    list(_syncing.map(_sync, paths))
    list(_syncing.map(_sync, {path.parent for path in paths}))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""File storage with atomic replacement."""

from __future__ import annotations

import os
import tempfile
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
                os.fdatasync(file.fileno())
            Path(temporary).replace(path)
            _sync_folder(path.parent)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return name


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

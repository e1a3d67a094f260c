"""Real DICOM files: those that pydicom installs, and those that lie beside the project."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pydicom.data
from pydicom import Dataset, dcmread

from tests.conftest import SHARED

_NOT_DICOM = {".py", ".pyc", ".json", ".jsonl", ".txt", ".md", ".dump", ".jpeg", ".cff", ".icc"}


@lru_cache(maxsize=1)
def paths() -> list[Path]:
    """Return the paths, each once."""
    roots = [Path(pydicom.data.__file__).parent, SHARED / "dicom", SHARED.parent / "cases" / "dicom"]
    files = (path for root in roots if root.is_dir() for path in root.rglob("*"))
    return sorted(path for path in files if path.is_file() and path.suffix.lower() not in _NOT_DICOM)


def data_sets() -> Iterator[tuple[str, Dataset]]:
    """Yield the name and the data set of each file that pydicom can read at all."""
    for path in paths():
        try:
            yield path.name, dcmread(path, force=True)
        except Exception:
            continue

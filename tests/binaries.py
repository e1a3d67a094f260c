"""Programs of the system that some tests start."""

from __future__ import annotations

import shutil
from pathlib import Path

_PLACES = {
    "chromium": ["chromium", "chromium-browser", "google-chrome"],
    "redis-server": ["redis-server"],
    "postgres": ["postgres", *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")))],
    "initdb": ["initdb", *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")))],
    "dcmdump": ["dcmdump"],
    "dcmdjpeg": ["dcmdjpeg"],
    "orthanc": ["Orthanc", "/usr/sbin/Orthanc"],
    "xgettext": ["xgettext"],
}


def find(name: str) -> str | None:
    """The path of a program, or None."""
    return next((path for candidate in _PLACES[name] if (path := shutil.which(candidate))), None)


def require(name: str) -> str:
    """The path of a program.

    Raises:
        FileNotFoundError: naming it.
    """
    path = find(name)
    if path is None:
        raise FileNotFoundError(f"install {name}")
    return path

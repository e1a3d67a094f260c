"""Files of codes and names: bundled ones, and those that a hospital loaded from its own releases instead."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).parent / "data"
STORE: Final = "terminology"
"""Folder of loaded releases, within the folder of the installation's data."""
CURRENT: Final = "current"
"""File that names the folder of the loaded release; it is exchanged in one step."""
_loaded: list[Path] = []


def use_releases(folder: Path) -> None:
    """Read files of the release that is current in a folder before the bundled ones; nothing if there is none."""
    _loaded.clear()
    pointer = folder / CURRENT
    if pointer.is_file():
        _loaded.append(folder / pointer.read_text(encoding="utf-8").strip())


def path_of(name: str) -> Path:
    """The file that counts: the loaded one, else the bundled one."""
    return next((folder / name for folder in _loaded if (folder / name).is_file()), DATA / name)


def packed_lines(name: str) -> list[str]:
    """Rows of a compressed file."""
    with gzip.open(path_of(name), "rt", encoding="utf-8") as file:
        return file.read().splitlines()


def own_lines(name: str) -> list[str]:
    """Rows of a text file, without comments."""
    text = path_of(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def write_packed(path: Path, lines: Iterable[str]) -> None:
    """Write lines as gzip without a time stamp, so that the same source gives the same bytes."""
    with path.open("wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
        packed.write("".join(f"{line}\n" for line in lines).encode())

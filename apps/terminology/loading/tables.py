"""Read the tables of releases line by line, and notice where they break off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from apps.terminology.loading.errors import WrongRelease


def rows_of(path: Path, columns: int, separator: str = "|") -> Iterator[list[str]]:
    """Rows of a table with a fixed number of columns, each line ended by a separator or not.

    Raises:
        WrongRelease: if a line has fewer columns, the file does not end with a line, or is no UTF-8.
    """
    number = 0
    line = "\n"
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, 1):
                cells = line.rstrip("\r\n").split(separator)
                if len(cells) < columns:
                    raise WrongRelease(
                        f"{path.name}, line {number}: {len(cells)} columns and not {columns}; the file is truncated or "
                        "another table: fetch the release again"
                    )
                yield cells
    except UnicodeDecodeError as error:
        raise WrongRelease(f"{path.name}: not UTF-8 after line {number}; fetch the release again") from error
    if not line.endswith("\n"):
        raise WrongRelease(f"{path.name}: ends in the middle of line {number}; fetch the release again")
    if number == 0:
        raise WrongRelease(f"{path.name} is empty; fetch the release again")

"""JSON lines in, JSON lines out: what the reading commands have in common."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

Row = dict[str, Any]


def convert_lines(source: str, target: str, convert: Callable[[Row], Row]) -> int:
    """Convert each line of a file, in order; the target is only replaced if every line was read.

    Returns:
        Number of lines.

    Raises:
        CommandError: if a file cannot be read or written, or a line is not what ``convert`` expects; it names the line.
    """
    path = Path(target)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise CommandError(
            f"{target} cannot be written ({error.strerror}); name a file in an existing folder."
        ) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            count = 0
            for number, row in _rows(source):
                try:
                    answer = convert(row)
                except ValueError as error:
                    raise CommandError(f"Line {number} of {source}: {error}") from error
                file.write(json.dumps(answer, ensure_ascii=False) + "\n")
                count += 1
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return count


def _rows(source: str) -> Iterator[tuple[int, Row]]:
    try:
        with Path(source).open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _row(source, number, line)
    except OSError as error:
        raise CommandError(
            f"{source} cannot be read ({error.strerror}); name a file with one JSON object a line."
        ) from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{source} is not UTF-8 text; save it as UTF-8 and try again.") from error


def _row(source: str, number: int, line: str) -> Row:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise CommandError(f"Line {number} of {source} is not JSON ({error.msg}); write one object a line.") from error
    if not isinstance(row, dict):
        raise CommandError(f'Line {number} of {source} is no JSON object; write {{"id": …, "text": …}}.')
    return row


def text_of(row: Row, *names: str) -> str:
    """The text of a row: the first of these fields that it has.

    Raises:
        ValueError: if it has none, or one that is no text.
    """
    for name in names:
        if name in row:
            if not isinstance(row[name], str):
                raise ValueError(f'"{name}" is no text; put it in quotation marks.')
            return str(row[name])
    raise ValueError(f'"{names[0]}" is missing; write {{"id": …, "{names[0]}": "…"}}.')

"""Commands that read JSON lines and write JSON lines, in order: for a hospital's own validation."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

Row = dict[str, Any]


class JsonLinesCommand(BaseCommand):
    """A command ``IN OUT`` that answers every line of IN with one of OUT; subclasses define ``answer``."""

    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, help="file of JSON objects, one a line")
        parser.add_argument("target", type=Path, help="file to write")

    def answer(self, row: Row) -> Row:
        """Answer one object.

        Raises:
            ValueError: if it is not of the expected form; the message says what to do.
        """
        raise NotImplementedError

    def handle(self, *args: Any, source: Path, target: Path, **options: Any) -> None:
        """Answer every line; nothing is written if a line is wrong."""
        try:
            lines = source.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"cannot read {source}: {error}; give a UTF-8 file of JSON lines") from error
        answers = [answered(line, number, self.answer) for number, line in enumerate(lines, 1) if line.strip()]
        target.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in answers), encoding="utf-8")
        self.stdout.write(f"{len(answers)} lines")


def answered(line: str, number: int, answer: Callable[[Row], Row]) -> Row:
    """Answer one line.

    Raises:
        CommandError: with the number of the line, if it is no JSON object or not of the expected form.
    """
    try:
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError("write one JSON object a line")
        return answer(row)
    except ValueError as error:
        raise CommandError(f"line {number}: {error}") from error

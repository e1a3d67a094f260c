"""Commands that read JSON lines and write JSON lines, in order: for a hospital's own validation."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

Row = dict[str, Any]


class JsonLinesCommand(BaseCommand):
    """A command ``IN OUT`` that answers every line of IN with one of OUT; subclasses define ``answer``.

    A line that is wrong gets an object with ``error`` in its place, and the others are answered all the same.
    """

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

    def unanswered(self, error: str) -> Row:
        """The object that stands for a line that is wrong."""
        return {"error": error}

    def handle(self, *args: Any, source: Path, target: Path, **options: Any) -> None:
        """Answer every line; empty ones are left out."""
        wrong = total = 0
        try:
            with source.open("rb") as lines, target.open("w", encoding="utf-8", newline="\n") as answers:
                for number, line in enumerate(lines, 1):
                    if not line.strip():
                        continue
                    row = self._answered(line, number)
                    total, wrong = total + 1, wrong + ("error" in row)
                    answers.write(f"{json.dumps(row, ensure_ascii=False)}\n")
        except OSError as error:
            raise CommandError(f"{error}; give a file of JSON lines and a file to write") from error
        self.stdout.write(f"{total} lines")
        if wrong:
            self.stderr.write(f'{wrong} of them could not be answered; their "error" says why')

    def _answered(self, line: bytes, number: int) -> Row:
        """The answer to one line, or what stands for it with the number of the line and, if it has one, its id."""
        row: Any = None
        try:
            row = json.loads(line.decode("utf-8-sig"))
            if not isinstance(row, dict):
                raise ValueError("write one JSON object a line")
            return self.answer(row)
        except (ValueError, RecursionError) as error:
            identity = {"id": row["id"]} if isinstance(row, dict) and "id" in row else {}
            return {**identity, **self.unanswered(f"line {number}: {error}")}

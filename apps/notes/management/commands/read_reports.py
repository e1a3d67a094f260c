"""``manage.py read_reports IN OUT``: findings of chest radiology reports, without the database."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.notes.management.json_lines import Row, convert_lines, text_of
from apps.notes.nlp.reports import FINDINGS, read_report


class Command(BaseCommand):
    help = (
        "Read chest radiology reports in English. IN has a JSON object a line, with id and text (or findings and "
        "impression); OUT gets id and findings, each present, absent or possible. A finding that a report does not "
        f"mention is left out. Findings: {', '.join(FINDINGS)}."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", metavar="IN")
        parser.add_argument("target", metavar="OUT")

    def handle(self, *args: Any, **options: Any) -> None:
        count = convert_lines(options["source"], options["target"], _read)
        self.stdout.write(f"{count} reports")


def _read(row: Row) -> Row:
    if "text" not in row and "report" not in row and {"findings", "impression"} & row.keys():
        parts = {name: text_of(row, name) for name in ("findings", "impression") if row.get(name)}
        text = "\n\n".join(f"{name.upper()}: {part}" for name, part in parts.items())
    else:
        text = text_of(row, "text", "report")
    return {"id": row.get("id"), "findings": read_report(text)}

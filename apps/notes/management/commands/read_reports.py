"""``manage.py read_reports IN OUT``: findings of chest radiology reports, without the database."""

from __future__ import annotations

from typing import Any

from apps.notes.nlp.reports import FINDINGS, read_report
from apps.terminology.json_lines import JsonLinesCommand


class Command(JsonLinesCommand):
    help = (
        "Read chest radiology reports in English. IN has a JSON object a line, with id and text (or findings and "
        "impression); OUT gets id and findings, each present, absent or possible. A finding that a report does not "
        f"mention is left out. Findings: {', '.join(FINDINGS)}."
    )

    def answer(self, row: dict[str, Any]) -> dict[str, Any]:
        """Read one report."""
        return {"id": row.get("id"), "findings": read_report(_text(row))}


def _text(row: dict[str, Any]) -> str:
    parts = {name: row[name] for name in ("text", "report", "findings", "impression") if row.get(name) is not None}
    if not parts or not all(isinstance(part, str) for part in parts.values()):
        raise ValueError('"text" is missing or no text; write {"id": …, "text": "…"}')
    headed = "\n\n".join(f"{name.upper()}: {part}" for name, part in parts.items())
    return parts.get("text") or parts.get("report") or headed

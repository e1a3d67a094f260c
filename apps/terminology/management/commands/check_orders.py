"""``manage.py check_orders IN OUT``: warnings about drug orders."""

from __future__ import annotations

from typing import Any

from apps.terminology.json_lines import JsonLinesCommand, Row
from apps.terminology.order_check import check_order


class Command(JsonLinesCommand):
    help = (
        'Check orders: {"allergies": [], "medications": [], "order": ""} to '
        '{"warnings": [{"kind", "severity", "text"}]}'
        "; no warnings means checked and clear."
    )

    def answer(self, row: Row) -> Row:
        """Check one order."""
        warnings = check_order(
            _text(row.get("order", ""), "order"),
            allergies=_texts(row, "allergies"),
            medications=_texts(row, "medications"),
        )
        return {"warnings": [{"kind": one.kind, "severity": one.severity, "text": one.text} for one in warnings]}


def _texts(row: Row, name: str) -> list[str]:
    values = row.get(name) or []
    if not isinstance(values, list):
        raise ValueError(f'"{name}" is a list of texts')
    return [_text(value, name) for value in values]


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f'"{name}" is text; got {value!r}')
    return value

"""``manage.py find_codes IN OUT``: ICD-10-CM codes for what people type."""

from __future__ import annotations

from apps.terminology.condition_search import search_conditions
from apps.terminology.json_lines import JsonLinesCommand, Row

LIMIT = 10


class Command(JsonLinesCommand):
    help = 'Find ICD-10-CM codes: {"query": ""} to {"codes": [best first]}; an empty list means that nothing came near.'

    def answer(self, row: Row) -> Row:
        """Search one query."""
        query = row.get("query")
        if not isinstance(query, str):
            raise ValueError('give {"query": "…"}')
        return {"codes": search_conditions(query, limit=LIMIT)}

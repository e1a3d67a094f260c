"""``manage.py read_notes IN OUT``: mentions in notes and what they would write into the record; without a database."""

from __future__ import annotations

from typing import Any

from apps.notes.nlp.qualities import NAMES
from apps.notes.nlp.reader import Mention, read
from apps.notes.nlp.record import record_of
from apps.terminology.json_lines import JsonLinesCommand

SYSTEMS = {"problem": "ICD-10-CM", "symptom": "ICD-10-CM", "drug": "RxNorm", "measurement": "LOINC"}
LANGUAGES = {"en": "en", "zh": "zh"}


class Command(JsonLinesCommand):
    help = (
        "Read clinical notes in English or Chinese. IN has a JSON object a line, with id, text and language (en or zh; "
        "found out if missing); OUT gets id, mentions and record: what would be written if a clinician confirmed every "
        "line. Mentions have section, laterality, organ, size, date and comparison where the note says them."
    )

    def answer(self, row: dict[str, Any]) -> dict[str, Any]:
        """Read one note."""
        text = row.get("text")
        if not isinstance(text, str):
            raise ValueError('"text" is missing or no text; write {"id": …, "text": "…", "language": "en"}')
        reading = read(text, LANGUAGES.get(str(row.get("language") or "")[:2].lower(), ""))
        mentions = [_mention(mention) for mention in reading.mentions]
        return {"id": row.get("id"), "mentions": mentions, "record": record_of(text, reading)}


def _mention(mention: Mention) -> dict[str, Any]:
    code = mention.concept if mention.kind == "measurement" else mention.details.get("code", "")
    kind = "allergy" if mention.details.get("allergy") else "medication" if mention.kind == "drug" else mention.kind
    return {
        "text": mention.text, "start": mention.start, "end": mention.end, "kind": kind,
        "system": SYSTEMS.get(mention.kind, "") if code else "", "code": code, "assertion": mention.assertion,
        **({"section": mention.section} if mention.section else {}),
        **{name: mention.details[name] for name in NAMES if mention.details.get(name)},
    }  # fmt: skip

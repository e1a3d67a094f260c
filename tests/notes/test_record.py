"""What notes would write into the record if a clinician confirmed every line of what was read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.notes.nlp.condition_history import history_codes
from apps.notes.nlp.reader import read
from apps.notes.nlp.record import record_of
from apps.terminology.conditions import conditions

FOLDER = Path(__file__).parent
CASES = [json.loads(line) for line in (FOLDER / "record_cases.jsonl").read_text().splitlines()]


def record(text: str) -> list[dict[str, Any]]:
    return record_of(text, read(text))


def matches(row: dict[str, Any], right: dict[str, Any]) -> bool:
    """Whether a row has everything that is right; numbers to one percent, codes by their beginning."""
    for name, value in right.items():
        if name == "code_starts":
            equal = str(row.get("code", "")).startswith(value)
        elif name == "value":
            equal = abs(row.get("value", 0) - value) <= 0.01 * value
        else:
            equal = row.get(name) == value
        if not equal:
            return False
    return True


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"][:60])
def test_the_record_has_what_is_right_and_nothing_else(case: dict[str, Any]) -> None:
    rows = record(case["text"])
    for right in case["record"]:
        row = next((row for row in rows if matches(row, right)), None)
        assert row is not None, (right, rows)
        rows.remove(row)
    assert rows == []


def test_every_history_code_exists() -> None:
    codes = conditions().codes
    assert len(history_codes()) > 60
    assert not [
        code for code in history_codes().values() if code != "=" and not (code in codes and codes[code].billable)
    ]
    assert not [prefix for prefix in history_codes() if prefix not in codes]


def test_a_dose_without_a_unit_is_kept_for_the_question_but_not_written() -> None:
    (mention,) = read("Metoprolol 25 bid.").mentions
    assert (mention.details["dose"], mention.details["frequency"]) == ("25", "twice daily")
    (row,) = record("Metoprolol 25 bid.")
    assert "dose" not in row and row["frequency"] == "twice daily"


def test_a_later_act_on_a_medication_counts() -> None:
    rows = record("Takes metformin 500 mg bid. Plan: stop metformin.")
    assert [(row["substance"], row["status"]) for row in rows] == [("metformin", "stopped")]


def test_places_are_those_of_the_text_and_the_command_needs_no_database(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    notes = [
        {"id": "a", "text": "Hold lisinopril 10 mg. No fever.", "language": "en"},
        {"id": "b", "text": "青霉素过敏。", "language": "zh"},
        {"id": "c", "text": ""},
    ]
    source.write_text("".join(json.dumps(note) + "\n" for note in notes))
    call_command("read_notes", str(source), str(target))
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    for note, row in zip(notes, rows, strict=True):
        assert all(note["text"][one["start"] : one["end"]] == one["text"] for one in row["mentions"])
    said = [(one["text"], one["assertion"]) for one in rows[0]["mentions"]]
    assert said == [("lisinopril", "present"), ("fever", "absent")]
    (row,) = rows[0]["record"]
    assert (row["substance"], row["status"], row["dose"], row["unit"]) == ("lisinopril", "on-hold", "10 mg", "mg")
    assert rows[1]["record"][0]["kind"] == "allergy" and rows[2]["record"] == []


def test_a_line_without_text_is_named(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"id": 1}\n{"id": 2, "text": "Stable."}\n')
    call_command("read_notes", source, target, verbosity=0)
    first, second = (json.loads(line) for line in target.read_text().splitlines())
    assert first["id"] == 1 and 'line 1: "text" is missing' in first["error"]
    assert second == {"id": 2, "mentions": [], "record": []}


def test_the_sentences_of_the_assertions_are_read_whole() -> None:
    """The mention is found by the vocabulary, and has the same assertion, in nearly all of our own sentences."""
    rows = [json.loads(line) for line in (FOLDER / "assertion_cases.jsonl").read_text().splitlines()]
    missed = 0
    for row in rows:
        start = row["text"].index(row["mention"])
        near = [one for one in read(row["text"], row["language"]).mentions if one.start <= start < one.end]
        said = {one.assertion for one in near if one.kind != "anatomy"}
        missed += row["assertion"] not in said
    assert missed / len(rows) < 0.05

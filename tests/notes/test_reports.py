"""Chest reports: what they state, deny and leave open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from apps.notes.nlp.reports import FINDINGS, read_report

CASES = [json.loads(line) for line in (Path(__file__).parent / "chest_reports.jsonl").read_text().splitlines()]


SENTENCES = [line.split("\t") for line in (Path(__file__).parent / "report_sentences.tsv").read_text().splitlines()]


@pytest.mark.parametrize(("text", "right"), SENTENCES, ids=[text for text, _right in SENTENCES])
def test_how_radiologists_write(text: str, right: str) -> None:
    answer = read_report(text)
    for part in right.split(","):
        finding, _equals, verdict = part.partition("=")
        assert answer.get(finding, "None") == verdict, answer


@pytest.mark.parametrize("row", CASES, ids=lambda row: row["text"][:60])
def test_what_a_report_states(row: dict) -> None:  # type: ignore[type-arg]
    answer = read_report(row["text"])
    assert {name for name, verdict in answer.items() if verdict == "present"} == set(row["present"])
    assert {name for name, verdict in answer.items() if verdict == "possible"} == set(row["possible"])
    assert {name: answer.get(name) for name in row["absent"]} == dict.fromkeys(row["absent"], "absent")


def test_every_finding_is_stated_by_some_report() -> None:
    assert {name for row in CASES for name in row["present"]} == set(FINDINGS)


@pytest.mark.parametrize(
    ("text", "finding", "right"),
    [
        ("INDICATION: Pneumothorax. FINDINGS: Scoliosis.", "pneumothorax", None),
        ("Pneumonia has resolved.", "pneumonia", "absent"),
        ("Old healed rib fracture.", "fracture", "present"),
        ("CT is recommended to exclude a mass.", "lesion/nodule", None),
        ("Atelectasis or scarring.", "scarring/fibrosis", "possible"),
        ("No atelectasis or scarring.", "scarring/fibrosis", "absent"),
        ("Likely atelectasis.", "atelectasis", "present"),
        ("Heart is not enlarged.", "cardiomegaly", "absent"),
        ("The lungs are not clear.", "infiltrate", None),
    ],
)
def test_kinds_of_statements(text: str, finding: str, right: str | None) -> None:
    assert read_report(text).get(finding) == right


def test_the_command_reads_in_order_and_needs_no_database(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(
        '{"id": 2, "text": "Scoliosis."}\n\n{"id": 1, "findings": "No edema.", "impression": "Cardiomegaly."}\n'
    )
    call_command("read_reports", str(source), str(target))
    assert [json.loads(line) for line in target.read_text().splitlines()] == [
        {"id": 2, "findings": {"scoliosis": "present"}},
        {"id": 1, "findings": {"cardiomegaly": "present", "oedema": "absent"}},
    ]


@pytest.mark.parametrize("line", ["{", "[1]", '{"id": 1}', '{"id": 1, "text": 5}'])
def test_a_bad_line_gets_an_error_in_its_place(tmp_path: Path, line: str) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"id": 0, "text": "Scoliosis."}\n' + line)
    call_command("read_reports", str(source), str(target))
    first, second = (json.loads(answer) for answer in target.read_text().splitlines())
    assert first["findings"] == {"scoliosis": "present"}
    assert "line 2" in second["error"] and "findings" not in second

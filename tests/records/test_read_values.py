"""``manage.py read_values``, and every Observation of a public set of records."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.records.fhir_observations import read_observation
from tests.conftest import SHARED

LINES = [json.loads(line) for line in (Path(__file__).parent / "value_lines.jsonl").read_text().splitlines()]


def run(tmp_path: Path, text: str) -> list[dict[str, object]]:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(text, encoding="utf-8")
    call_command("read_values", source, target, verbosity=0)
    return [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]


def test_lines_in_lines_out_in_order(tmp_path: Path) -> None:
    answers = run(tmp_path, "\n".join(json.dumps(row["in"]) for row in LINES))
    assert len(answers) == len(LINES)
    for row, answer in zip(LINES, answers, strict=True):
        state, value, unit, comparator = row["out"]
        assert (answer["state"], answer["unit"], answer["comparator"]) == (state, unit, comparator), row
        assert answer["value"] == (value if value is None else pytest.approx(value, rel=5e-3)), row
        assert bool(answer["why"]) == (state != "taken"), row


def test_a_bad_line_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    answers = run(tmp_path, '{"code": "Na", "value": "140"}\nnot json\n[1]\n\n{"code": "K", "value": 4.1}\n')
    assert [answer["state"] for answer in answers] == ["taken", "refused", "refused", "taken"]
    assert ["error" in answer for answer in answers] == [False, True, True, False]
    assert "line 2" in str(answers[1]["error"])


def test_components_are_read_each(tmp_path: Path) -> None:
    pressure = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
        "component": [
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
                "valueQuantity": {"value": 121, "code": "mm[Hg]"},
            },
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]},
                "dataAbsentReason": {"text": "unknown"},
            },
        ],
    }
    (answer,) = run(tmp_path, json.dumps(pressure))
    assert answer["state"] == "refused" and answer["value"] is None
    components = answer["components"]
    assert isinstance(components, list)
    assert [(row["code"], row["state"], row["value"]) for row in components] == [
        ("8480-6", "taken", 121.0),
        ("8462-4", "refused", None),
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="file of JSON lines"):
        call_command("read_values", tmp_path / "none.jsonl", tmp_path / "out.jsonl")


def test_every_observation_of_synthea() -> None:
    """Of 4,391 Observations every number is taken but 40, whose unit is wrong in the data (protein 62 g/dL)."""
    archive = SHARED / "fhir" / "synthea-r4.zip"
    if not archive.is_file():
        pytest.skip("needs the shared data")
    states: Counter[tuple[str, str]] = Counter()
    observations = 0
    with zipfile.ZipFile(archive) as bundles:
        for name in bundles.namelist():
            for entry in json.loads(bundles.read(name))["entry"]:
                if entry["resource"]["resourceType"] == "Observation":
                    observations += 1
                    for row in read_observation(entry["resource"]):
                        numeric = row.reading.reason not in ("value_not_numeric", "value_code")
                        states[row.reading.state.value if numeric else "text", row.reading.reason] += 1
    assert observations == 4391
    assert states["taken", ""] >= 4300
    questionable = {key: n for key, n in states.items() if key[0] not in ("taken", "text")}
    assert questionable == {("refused", "value_impossible"): 20, ("ask", "value_rare"): 20}

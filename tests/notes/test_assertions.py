"""What is said of a mention: on our own sentences, and on the test kit of NegEx and ConText where it lies beside us."""

from __future__ import annotations

import csv
import json
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

from apps.notes.nlp.assertions import ABSENT, ASSERTIONS, CONDITIONAL, FAMILY, HYPOTHETICAL, OTHER, Context
from apps.notes.nlp.tokens import sentences
from tests.conftest import SHARED

FOLDER = Path(__file__).parent
KIT = SHARED / "notes/context_annotations.tsv"


def cases(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (FOLDER / name).read_text().splitlines()]


def assertion(row: dict[str, str]) -> str:
    start = row["text"].index(row["mention"])
    return Context.of(row["text"], row["language"]).assertion(start, start + len(row["mention"]))


@pytest.mark.parametrize("row", cases("assertion_cases.jsonl"), ids=lambda row: f"{row['mention']} in {row['text']}")
def test_our_own_sentences(row: dict[str, str]) -> None:
    assert row["assertion"] in ASSERTIONS
    assert assertion(row) == row["assertion"]


def test_the_section_says_whose_and_when_it_was() -> None:
    context = Context.of("Diabetes. No cancer.", "en")
    assert context.assertion(0, 8, section="family") == "family"
    assert context.assertion(13, 19, section="family") == "absent"
    assert context.assertion(0, 8, section="past") == "historical"


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("No effusion.. Mild cardiomegaly.", ["No effusion..", "Mild cardiomegaly."]),
        ("Seen by Dr. Wu at 3 p.m. for pain. Stable.", ["Seen by Dr. Wu at 3 p.m. for pain.", "Stable."]),
        ("Diabetes: No. Hypertension: Yes.", ["Diabetes: No.", "Hypertension: Yes."]),
        ("Takes aspirin 81 mg p.o. daily. Potassium 3.5.", ["Takes aspirin 81 mg p.o. daily.", "Potassium 3.5."]),
        ("a wrapped\nline goes on\nNext one", ["a wrapped\nline goes on", "Next one"]),
        ("1. Asthma.,2. Gout.", ["1. Asthma.,", "2. Gout."]),
        ("无发热。咳嗽3天。", ["无发热。", "咳嗽3天。"]),
    ],
)
def test_sentences(text: str, right: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == right


@pytest.mark.skipif(not KIT.exists(), reason="the annotated sentences lie outside the project")
def test_half_of_the_kit_that_the_rules_were_not_written_with() -> None:
    right: Counter[str] = Counter()
    total = 0
    with KIT.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            text, concept = row["sentence"], row["concept"]
            start = text.find(concept.upper())  # the mention is written in capitals
            if start < 0 or sha256(text.casefold().encode()).digest()[0] % 2:
                continue
            total += 1
            verdict = Context.of(text, "en").assertion(start, start + len(concept))
            right["negation"] += (verdict == ABSENT) == (row["negation"] == "Negated")
            right["hypothesis"] += (verdict in (HYPOTHETICAL, CONDITIONAL)) == (row["temporality"] == "Not particular")
            right["person"] += (verdict in (FAMILY, OTHER)) == (row["experiencer"] != "Patient")
    assert total > 780
    assert right["negation"] / total > 0.98
    assert right["hypothesis"] / total > 0.99
    assert right["person"] == total

"""Side, organ, size, date and comparison of findings in English and Chinese: only what is said of the finding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import translation

from apps.notes.nlp.qualities import NAMES, organs
from apps.notes.nlp.reader import read
from apps.notes.views.extraction import quality_words

CASES: list[tuple[str, str, dict[str, str]]] = [
    ("There is an 8 mm nodule in the left upper lobe, unchanged since 2019.", "nodule",
     {"laterality": "left", "organ": "lung", "size": "8 mm", "comparison": "unchanged"}),
    ("Stable 8 mm nodule in the right middle lobe.", "nodule",
     {"laterality": "right", "organ": "lung", "size": "8 mm", "comparison": "unchanged"}),
    ("Right pleural effusion has increased in size.", "pleural effusion",
     {"laterality": "right", "organ": "pleura", "comparison": "larger"}),
    ("Bilateral pleural effusions, left lower lobe pneumonia.", "pneumonia",
     {"laterality": "left", "organ": "lung"}),
    ("A 2.1 x 1.3 cm mass in the right breast.", "mass",
     {"laterality": "right", "organ": "breast", "size": "2.1 x 1.3 cm"}),
    ("Worsening pneumonia.", "pneumonia", {"comparison": "worse"}),
    ("New atrial fibrillation on March 3, 2021.", "atrial fibrillation", {"comparison": "new", "date": "2021-03-03"}),
    ("Pneumonia in April 2018.", "Pneumonia", {"date": "2018-04"}),
    ("Pulmonary embolism (2016).", "Pulmonary embolism", {"organ": "lung", "date": "2016"}),
    ("Hip fracture on 13/04/2015.", "Hip fracture", {"organ": "hip", "date": "2015-04-13"}),
    ("Hip fracture on 03/04/2015.", "Hip fracture", {"organ": "hip", "date": "03/04/2015"}),
    ("He left the hospital with pneumonia.", "pneumonia", {}),
    ("She has pneumonia right now.", "pneumonia", {}),
    ("The right lung is clear, but there is pneumonia.", "pneumonia", {}),
    ("Left knee pain, right hip pain.", "knee pain", {"laterality": "left", "organ": "knee"}),
    ("Left knee pain, right hip pain.", "hip pain", {"laterality": "right", "organ": "hip"}),
    ("A 4 cm cyst in the left kidney and a mass in the liver.", "cyst",
     {"laterality": "left", "organ": "kidney", "size": "4 cm"}),
    ("A 4 cm cyst in the left kidney and a mass in the liver.", "mass", {"organ": "liver"}),
    ("右肺上叶见一结节，大小约8mm，较前增大。", "结节",
     {"laterality": "right", "organ": "lung", "size": "8mm", "comparison": "larger"}),
    ("双侧胸腔积液较前吸收。", "胸腔积液", {"laterality": "bilateral", "organ": "pleura", "comparison": "improved"}),
    ("左肾囊肿，右侧胸腔积液。", "胸腔积液", {"laterality": "right", "organ": "pleura"}),
    ("2018年3月肺炎。", "肺炎", {"organ": "lung", "date": "2018-03"}),
    ("咳嗽、发热。", "咳嗽", {}),
]  # fmt: skip


def details(text: str, words: str) -> dict[str, Any]:
    start = text.index(words)
    rows = [
        row
        for row in read(text).mentions
        if row.kind != "anatomy" and row.start < start + len(words) and start < row.end
    ]
    (row,) = [row for row in rows if row.kind in ("problem", "symptom")]
    return {name: row.details[name] for name in NAMES if row.details.get(name)}


@pytest.mark.parametrize(("text", "words", "right"), CASES, ids=[f"{words} in {text}" for text, words, _right in CASES])
def test_what_is_said_of_a_finding(text: str, words: str, right: dict[str, str]) -> None:
    assert details(text, words) == right


def test_every_organ_has_a_title_in_both_languages() -> None:
    assert len(organs()) > 60
    assert all(title["en"] and not title["zh-hans"].isascii() for title in organs().values())


def test_read_notes_says_them_where_they_are_known(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"id": 1, "text": "FINDINGS: Stable 8 mm nodule in the right middle lobe. Cough."}\n')
    call_command("read_notes", source, target, verbosity=0)
    nodule, *_others, cough = (
        row for row in json.loads(target.read_text())["mentions"] if row["kind"] in ("problem", "symptom")
    )
    assert {name: nodule[name] for name in ("section", *NAMES) if name in nodule} == {
        "section": "findings", "laterality": "right", "organ": "lung", "size": "8 mm", "comparison": "unchanged",
    }  # fmt: skip
    assert cough["text"] == "Cough" and not set(NAMES) & set(cough)


@pytest.mark.parametrize(
    ("language", "right"),
    [("en", ["right", "lung", "8 mm", "unchanged"]), ("zh-hans", ["右侧", "肺", "8 mm", "无明显变化"])],
)
def test_the_page_shows_them_in_words(language: str, right: list[str]) -> None:
    with translation.override(language):
        assert quality_words(details("Stable 8 mm nodule in the right middle lobe.", "nodule")) == right

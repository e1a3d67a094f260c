"""What is understood of notes, on sentences that were annotated by hand (MTSamples, CC0)."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.notes.nlp.dosage import Dosage, dosage
from apps.notes.nlp.measurements import measurements
from apps.notes.nlp.reader import language_of, read
from apps.notes.nlp.sections import sections
from apps.terminology.conditions import title_of
from apps.terminology.lexicon import concepts

FOLDER = Path(__file__).parent
KINDS = {"problem": ("problem", "symptom"), "medication": ("drug",)}


def scores(name: str) -> tuple[Counter[str], dict[str, Counter[str]]]:
    """Found, missed and made up; and of what was found, each assertion's right and wrong ones."""
    found: Counter[str] = Counter()
    by_assertion = {name: Counter[str]() for name in ("negated", "uncertain", "historical", "family")}
    for line in (FOLDER / name).read_text().splitlines():
        row = json.loads(line)
        said = [one for one in read(row["text"]).mentions if one.kind in ("problem", "symptom", "drug")]
        for truth in row["mentions"]:
            hit = next(
                (
                    m
                    for m in said
                    if m.kind in KINDS[truth["kind"]] and m.start < truth["end"] and truth["start"] < m.end
                ),
                None,
            )
            if hit is None:
                found["missed"] += 1
                continue
            said.remove(hit)
            found["right"] += 1
            for assertion, counts in by_assertion.items():
                counts[f"{assertion in truth['assertions']} {assertion in hit.assertions}"] += 1
        found["made up"] += len(said)
    return found, by_assertion


def precision_recall(counts: Counter[str]) -> tuple[float, float]:
    right = counts["True True"]
    return right / max(right + counts["False True"], 1), right / max(right + counts["True False"], 1)


def test_sentences_that_the_rules_were_written_with() -> None:
    found, by_assertion = scores("annotated_sentences.jsonl")
    assert found["right"] + found["missed"] > 370
    assert found["right"] / (found["right"] + found["made up"]) > 0.97
    assert found["right"] / (found["right"] + found["missed"]) > 0.98
    assert min(precision_recall(by_assertion["negated"])) > 0.98
    assert min(precision_recall(by_assertion["uncertain"])) > 0.85
    assert min(precision_recall(by_assertion["family"])) > 0.95


def test_sentences_annotated_after_the_rules_were_frozen() -> None:
    found, by_assertion = scores("annotated_sentences_unseen.jsonl")
    assert found["right"] + found["missed"] > 120
    assert found["right"] / (found["right"] + found["made up"]) > 0.95
    assert found["right"] / (found["right"] + found["missed"]) > 0.84
    assert min(precision_recall(by_assertion["negated"])) > 0.98


@pytest.mark.parametrize(
    ("text", "concept", "assertions"),
    [
        ("Patient denies fever, chills, and cough.", "cough", {"negated"}),
        ("No change in the cough.", "cough", set()),
        ("No pneumonia, but there is a pleural effusion.", "pleural_effusion", set()),
        ("Pneumonia was ruled out.", "pneumonia", {"negated"}),
        ("Cannot exclude pneumonia.", "pneumonia", {"uncertain"}),
        ("Pneumonia versus atelectasis.", "atelectasis", {"uncertain"}),
        ("History of stroke.", "stroke", {"historical"}),
        ("His father died of lung cancer.", "lung_cancer", {"family"}),
        ("FAMILY HISTORY: Diabetes.", "diabetes", {"family"}),
        ("HISTORY OF PRESENT ILLNESS: fever for two days.", "fever", set()),
        ("患者否认胸痛、咯血。", "hemoptysis", {"negated"}),
        ("双肺未见实变,右下肺炎可能。", "pneumonia", {"uncertain"}),
        ("既往高血压病史10年。", "hypertension", {"historical"}),
        ("其母亲患糖尿病。", "diabetes", {"family"}),
        ("咳嗽5天,无发热。", "cough", set()),
    ],
)
def test_who_and_whether(text: str, concept: str, assertions: set[str]) -> None:
    found = [one for one in read(text).mentions if one.concept == concept]
    assert found and set(found[-1].assertions) == assertions


def test_medication_with_dose_and_allergies() -> None:
    text = "MEDICATIONS: amoxicillin 500 mg po twice daily for 7 days.\nALLERGIES: Penicillin."
    drugs = {one.concept: one.details for one in read(text).mentions if one.kind == "drug"}
    assert drugs["amoxicillin"]["dose"] == "500 mg" and drugs["amoxicillin"]["frequency"] == "twice daily"
    assert drugs["penicillin"]["allergy"] and not drugs["amoxicillin"]["allergy"]
    assert dosage(" 75 mg 口服 每日两次") == Dosage("75 mg", "mg", "oral", "twice daily", "每日两次")


def test_measurements_with_their_codes() -> None:
    found = {
        one.code: (one.values, one.unit)
        for one in measurements("Temp 38.9 C, HR 112, BP 98/54, SpO2 89 %, mass 2 x 3 cm")
    }
    assert found["8310-5"] == ((38.9,), "Cel") and found["8867-4"] == ((112.0,), "/min")
    assert found["85354-9"] == ((98.0, 54.0), "mm[Hg]") and found["59408-5"] == ((89.0,), "%")
    assert found[""] == ((2.0, 3.0), "cm")


def test_sections_cover_the_text_without_gaps() -> None:
    text = "CHIEF COMPLAINT: Cough.\nSomething.\nIMPRESSION: Bronchitis."
    parts = sections(text)
    assert [part.name for part in parts] == ["complaint", "impression"]
    assert parts[0].end == parts[1].start and parts[-1].end == len(text)


def test_every_code_of_the_lexicon_is_a_code_of_icd10() -> None:
    assert len(concepts()) > 240
    assert not [one.code for one in concepts().values() if one.icd10 and not title_of(one.icd10)]


@given(st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_and_places_lie_within_it(text: str) -> None:
    reading = read(text)
    assert language_of(text) in ("en", "zh")
    for one in reading.mentions:
        assert text[one.start : one.end] == one.text
    assert all(0 <= start <= end <= len(text) for start, end in reading.sentences)

"""No substance is taken for another, and no nodule of another organ for one of the lung."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import User
from apps.notes import editing
from apps.recommendations.guidelines.allergies import conflicts
from apps.recommendations.guidelines.drug_names import denies_allergy, drug_of, drugs_in, ingredients_of
from apps.recommendations.guidelines.nodules import is_subsolid, site_of
from apps.recommendations.patient_facts import facts_of
from apps.records.models import Case, StatementKind
from apps.records.problem_list import add_statement
from apps.terminology.lexicon import concepts
from tests.case_factories import work

OWN = {
    language: {
        term.casefold() for concept in concepts().values() if concept.kind == "drug" for term in concept.terms[language]
    }
    for language in ("en", "zh")
}
SAME = {"Gentamicin Sulfate (USP)": "gentamicin", "insulin, regular, human": "insulin"}
"""Other names of the same substance."""
HOLDS_ANOTHER = [
    "spironolactone", "mesalasine", "iron dextran", "insulin aspart", "insulin degludec", "penicillin benzathine x",
    "prednisolone", "methylprednisolone", "hydrocortisone", "esomeprazole", "levocetirizine", "desloratadine",
    "hydromorphone", "apomorphine", "dihydrocodeine", "norfluoxetine", "ascorbic acid", "asaflow", "environment",
]  # fmt: skip


@pytest.mark.parametrize("name", HOLDS_ANOTHER)
def test_a_name_within_a_name_is_not_that_drug(name: str) -> None:
    codes = drugs_in(f"{name} 25 mg po daily")
    assert codes in ([], [name])


def test_no_ingredient_is_taken_for_another(shared_data: Path) -> None:
    with (shared_data / "terminology" / "drugs" / "ingredients.tsv").open(newline="") as file:
        names = [row["name"] for row in csv.DictReader(file, delimiter="\t")]
    assert len(names) > 5000
    taken = {name: drugs_in(name) for name in names if name.casefold() not in OWN["en"] and drugs_in(name)}
    combined = {name: codes for name, codes in taken.items() if "/" in name}
    assert all(code in name.casefold() for name, codes in combined.items() for code in codes)
    assert {name: codes for name, codes in taken.items() if name not in combined} == {
        name: [code] for name, code in SAME.items()
    }


def test_no_chinese_name_is_taken_for_another(shared_data: Path) -> None:
    with (shared_data / "terminology" / "chinese" / "zh_drugs.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) > 600
    for row in rows:
        name = row["simplified"]
        assert name in OWN["zh"] or drugs_in(name) in ([], [row["ingredient"]]), name  # of a salt its ingredient


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Amoxicillin 500 mg po tid", ["amoxicillin"]),
        ("AMOXICILLIN", ["amoxicillin"]),
        ("Metformin HCl 500mg", ["metformin"]),
        ("severe reaction to amoxicillin", ["amoxicillin"]),
        ("Penicillin - anaphylaxis", ["penicillin"]),
        ("penicillin (hives), codeine", ["penicillin", "codeine"]),
        ("PCN", ["penicillin"]),
        ("Pen VK", ["penicillin"]),
        ("Tylenol #3", ["paracetamol-codeine"]),
        ("Tylenol 500", ["paracetamol"]),
        ("Spironolactone 25 mg", ["spironolactone"]),
        ("对青霉素过敏", ["penicillin"]),
        ("青霉素、头孢唑林过敏", ["penicillin", "cefazolin"]),
        ("注射用氨苄西林钠", ["ampicillin"]),
        ("甲泼尼松龙", []),
        ("iron deficiency anemia", []),
    ],
)
def test_whole_names_are_found(text: str, codes: list[str]) -> None:
    assert drugs_in(text) == codes
    assert drug_of(text) == (codes[0] if len(codes) == 1 else " ".join(text.casefold().split()))


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("NKDA", True), ("nka", True), ("None", True), ("No known drug allergies", True), ("无", True),
        ("Denies allergy to penicillin", True), ("否认药物过敏史", True), ("tolerates cephalexin", True),
        ("Penicillin", False), ("Penicillin: not anaphylactic, hives", False), ("Nonsteroidals", False),
        ("青霉素过敏", False),
    ],
)  # fmt: skip
def test_an_entry_that_there_is_no_allergy_is_none(text: str, denied: bool) -> None:
    assert denies_allergy(text) == denied


def test_the_record_speaks_of_each_drug_by_its_own_name(case: Case, doctor: User) -> None:
    for text in ("Spironolactone 25 mg", "Augmentin", "Lantus 10 units"):
        add_statement(case, StatementKind.MEDICATION, text=text, actor=doctor)
    for text in ("PCN", "Denies allergy to codeine", "NKDA", "Percocet - hives"):
        add_statement(case, StatementKind.ALLERGY, text=text, actor=doctor)
    facts = facts_of(case.patient)
    assert "iron" not in facts["medications"] and "asa" not in str(facts["medications"])
    assert set(facts["medications"]) == {
        "spironolactone", "amoxicillin-clavulanate", "amoxicillin", "insulin-glargine", "insulin",
    }  # fmt: skip
    assert set(facts["allergies"]) == {"penicillin", "oxycodone-paracetamol", "oxycodone", "paracetamol"}


@pytest.mark.parametrize(
    ("order", "allergies", "warns"),
    [
        ("Spironolactone 25 mg", ["iron"], False),
        ("Augmentin", ["penicillin"], True),
        ("Percocet", ["paracetamol"], True),
        ("Naproxen 500", ["aspirin"], True),
        ("Ramipril", ["lisinopril"], True),
        ("trimethoprim-sulfamethoxazole", ["sulfa"], True),
        ("Amoxicillin 500 mg", ["nsaids"], False),
        ("Hydrocortisone cream", ["hydrocodone"], False),
    ],
)
def test_an_order_meets_its_own_allergies_only(order: str, allergies: list[str], warns: bool) -> None:
    found = [one for code in drugs_in(order) or [drug_of(order)] for one in conflicts(code, allergies)]
    assert bool(found) == warns
    assert ingredients_of("amoxicillin-clavulanate") == ("amoxicillin-clavulanate", "amoxicillin")


@pytest.mark.parametrize(
    ("note", "lung"),
    [
        ("CT chest: 9 mm solid nodule in the right upper lobe.", 9),
        ("There is a 9 mm pulmonary nodule.", 9),
        ("CT of the chest today. A nodule of 9 mm is seen.", 9),
        ("右上叶结节，大小9 mm。", 9),
        ("Thyroid ultrasound: 9 mm nodule in the left lobe.", None),
        ("There is a 9 mm thyroid nodule on chest CT.", None),
        ("Lungs are clear. A 9 mm nodule in the liver.", None),
        ("Skin: 9 mm nodule on the forearm.", None),
        ("There is a nodule of 9 mm.", None),
        ("CT chest: 9 mm ground-glass nodule in the right upper lobe.", None),
        ("CT chest: no pulmonary nodule of 9 mm.", None),
        ("甲状腺结节，大小9 mm。", None),
        ("12 mm thyroid nodule. CT chest: 7 mm lung nodule.", 7),
    ],
)
def test_only_solid_nodules_of_the_lung_ask_for_a_chest_ct(
    note: str, lung: float | None, case: Case, doctor: User, settings: Any
) -> None:
    settings.SENTENCE_MODEL = "words"
    editing.write(case, note, actor=doctor)
    work()
    facts = facts_of(case.patient)
    assert facts.get("lungNoduleMm") == lung
    assert all({"site", "mm", "subsolid"} == set(nodule) for nodule in facts.get("nodules", []))


def test_the_nearest_place_counts() -> None:
    text = "Liver normal. Nodule of the left thyroid lobe; lungs clear."
    start = text.index("Nodule")
    assert site_of(text, (start, start + 6), (14, len(text))) == "thyroid"
    assert site_of("A nodule.", (2, 8), (0, 9)) == ""
    assert is_subsolid("part-solid nodule") and not is_subsolid("solid nodule")

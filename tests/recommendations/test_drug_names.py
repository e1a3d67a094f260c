"""No substance is taken for another, and no nodule of another organ for one of the lung."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import User
from apps.notes import editing
from apps.recommendations.guidelines.drug_names import allergens_of, denies_allergy, drug_of, drugs_in, drugs_of
from apps.recommendations.guidelines.nodules import is_subsolid, site_of
from apps.recommendations.patient_facts import facts_of
from apps.records.models import Case, StatementKind
from apps.records.problem_list import add_statement
from tests.case_factories import work

HOLDS_ANOTHER = [
    "spironolactone", "mesalasine", "iron dextran", "insulin aspart", "insulin degludec", "penicillin benzathine x",
    "prednisolone", "methylprednisolone", "hydrocortisone", "esomeprazole", "levocetirizine", "desloratadine",
    "hydromorphone", "apomorphine", "dihydrocodeine", "norfluoxetine", "ascorbic acid", "asaflow", "environment",
]  # fmt: skip


@pytest.mark.parametrize("name", HOLDS_ANOTHER)
def test_a_name_within_a_name_is_not_that_drug(name: str) -> None:
    codes = drugs_in(f"{name} 25 mg po daily")
    held = {
        "aspirin",
        "iron",
        "prednisone",
        "cortisone",
        "morphine",
        "codeine",
        "fluoxetine",
        "omeprazole",
        "cetirizine",
    }
    assert held.isdisjoint(codes)


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
        ("Pen VK", ["penicillin v"]),
        ("Tylenol #3", ["acetaminophen", "codeine"]),
        ("Tylenol 500", ["acetaminophen"]),
        ("Spironolactone 25 mg", ["spironolactone"]),
        ("对青霉素过敏", ["penicillin"]),
        ("青霉素、头孢唑林过敏", ["penicillin", "cefazolin"]),
        ("注射用氨苄西林钠", ["ampicillin"]),
        ("甲泼尼龙片", ["methylprednisolone"]),
        ("no drug at all", []),
    ],
)
def test_whole_names_are_found(text: str, codes: list[str]) -> None:
    assert drugs_in(text) == codes
    assert drug_of(text) == (codes[0] if len(codes) == 1 else " ".join(text.casefold().split()))


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("NKDA", True), ("nka", True), ("None", True), ("No known drug allergies", True), ("无", True),
        ("Denies allergy to penicillin", True), ("否认药物过敏史", True), ("tolerates cephalexin", False),
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
        "spironolactone", "amoxicillin", "clavulanate", "insulin glargine", "insulin",
    }  # fmt: skip
    assert set(facts["allergies"]) == {"penicillin", "oxycodone", "acetaminophen"}


def test_recorded_codes_of_any_age_lead_to_ingredients() -> None:
    assert drugs_of("723", "as written") == ["amoxicillin"]
    assert drugs_of("amoxicillin-clavulanate", "Augmentin") == ["amoxicillin", "clavulanate"]
    assert drugs_of("", "Zyxomib 40 mg") == ["zyxomib 40 mg"]
    assert allergens_of("penicillin", "Penicillin") == allergens_of("penicillins", "PCN") == ["penicillin"]
    assert allergens_of("", "sulfa drugs") == ["sulfonamide-antibiotics"]
    assert allergens_of("influenza_vaccine", "Influenza vaccine") == ["influenza_vaccine"]


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

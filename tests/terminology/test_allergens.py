"""Allergy lists say what a patient must not have; "none" and "denies" say nothing of the kind."""

from __future__ import annotations

import pytest

from apps.terminology.allergens import read_allergy
from apps.terminology.resolution import reacts_with, resolve, subsumes


@pytest.mark.parametrize(
    "text",
    [
        "NKDA", "nka", "None", "No known drug allergies", "无", "否认药物过敏史", "Denies allergy to penicillin",
        "No latex allergy", "Not allergic to anything", "Allergies: none", "无药物过敏史", "None are known",
        "To medicines are none", "NO SHRIMP, SEAFOOD, OR DYE ALLERGY",
    ],
)  # fmt: skip
def test_an_entry_that_there_is_no_allergy_names_none(text: str) -> None:
    entry = read_allergy(text)
    assert entry.denied
    assert entry.allergens == ()


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Penicillin", ["penicillins"]),
        ("PCN - hives", ["penicillins"]),
        ("penicillin, sulfa, aspirin", ["penicillins", "sulfonamide-antibiotics", "1191"]),
        ("No known allergies except PCN", ["penicillins"]),
        ("NKDA. Penicillin causes rash", ["penicillins"]),
        ("对青霉素过敏，否认食物过敏", ["penicillins"]),
        ("头孢类、磺胺", ["cephalosporins", "sulfonamide-antibiotics"]),
        ("Penicillin, but tolerates amoxicillin", ["penicillins"]),
        ("NSAIDs", ["nsaids"]),
        ("shellfish", ["shellfish"]),
        ("She is allergic to amoxicilin", ["723"]),
        ("everything", []),
        ("Refer to chart", []),
    ],
)
def test_what_an_entry_names(text: str, codes: list[str]) -> None:
    entry = read_allergy(text)
    assert not entry.denied
    assert [allergen.code for allergen in entry.allergens] == codes


def test_the_reaction_is_read_with_the_substance() -> None:
    assert read_allergy("Lisinopril - angioedema").has_angioedema
    assert read_allergy("Penicillin (anaphylaxis)").is_severe
    assert not read_allergy("Penicillin: rash").is_severe


@pytest.mark.parametrize(
    ("allergen", "drug", "kind"),
    [
        ("Penicillin", "Bicillin L-A", "allergy"),
        ("amoxicillin", "ampicillin", "class"),
        ("amoxicillin", "cephalexin", "cross-reactivity"),
        ("Penicillin", "cefazolin", None),
        ("Penicillin", "ceftriaxone", None),
        ("Penicillin - anaphylaxis", "ceftriaxone", "cross-reactivity"),
        ("Sulfa", "furosemide", None),
        ("Sulfa", "glipizide", None),
        ("Sulfa", "celecoxib", None),
        ("Aspirin", "ketorolac", "cross-reactivity"),
        ("Morphine", "codeine", "class"),
        ("Morphine", "fentanyl", None),
        ("Lisinopril - cough", "losartan", None),
        ("Lisinopril - angioedema", "losartan", "cross-reactivity"),
        ("shellfish", "iohexol", None),
        ("7980", "723", "class"),
    ],
)
def test_what_an_allergy_means_for_a_drug(allergen: str, drug: str, kind: str | None) -> None:
    reaction = reacts_with(allergen, drug)
    assert (reaction.kind if reaction else None) == kind


def test_classes_include_their_members() -> None:
    assert subsumes("penicillins", "amoxicillin") and subsumes("beta-lactams", "penicillins")
    assert subsumes("amoxicillin", "amoxicillin")
    assert not subsumes("penicillins", "cefazolin") and not subsumes("penicillins", "beta-lactams")


def test_allergens_are_resolved() -> None:
    assert [candidate.code for candidate in resolve("sulfa drugs", "allergen")] == ["sulfonamide-antibiotics"]

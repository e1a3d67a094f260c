"""Drug-allergy checks, including cross-sensitivity within a drug class."""

from __future__ import annotations

from collections.abc import Iterable

from apps.recommendations.guidelines.drug_names import ingredients_of

FAMILIES = {
    "penicillins": (
        "penicillin",
        "amoxicillin",
        "ampicillin",
        "piperacillin-tazobactam",
        "oxacillin",
        "flucloxacillin",
    ),
    "cephalosporins": ("cephalexin", "cefuroxime", "ceftriaxone", "cefepime", "cefazolin"),
    "non-steroidal anti-inflammatory drugs": ("ibuprofen", "naproxen", "diclofenac", "ketorolac", "aspirin"),
    "macrolides": ("azithromycin", "clarithromycin", "erythromycin"),
    "fluoroquinolones": ("ciprofloxacin", "levofloxacin", "moxifloxacin"),
    "sulfonamide antibiotics": ("trimethoprim-sulfamethoxazole", "sulfamethoxazole", "sulfadiazine"),
    "ACE inhibitors": ("lisinopril", "enalapril", "ramipril", "captopril"),
    "statins": ("atorvastatin", "simvastatin", "rosuvastatin", "pravastatin"),
}
"""Drugs by class; an allergy or intolerance to one is a warning for the others."""
NAMES_OF_FAMILIES = {
    "penicillin allergy": "penicillins",
    "cephalosporin": "cephalosporins",
    "nsaid": "non-steroidal anti-inflammatory drugs",
    "nsaids": "non-steroidal anti-inflammatory drugs",
    "macrolide": "macrolides",
    "fluoroquinolone": "fluoroquinolones",
    "quinolones": "fluoroquinolones",
    "sulfa": "sulfonamide antibiotics",
    "sulfa drugs": "sulfonamide antibiotics",
    "sulfonamides": "sulfonamide antibiotics",
    "ace inhibitor": "ACE inhibitors",
    "ace inhibitors": "ACE inhibitors",
    "statin": "statins",
}
"""Other names of a drug class in allergy lists, lowercase."""


def conflicts(drug: str, allergies: Iterable[str]) -> list[tuple[str, str]]:
    """Return the (allergy, drug class) pairs that conflict with a drug; the class is empty for the drug itself.

    Args:
        drug, allergies: lexicon codes, or lowercase text.
    """
    pairs: list[tuple[str, str]] = []
    ingredients = ingredients_of(drug)
    for allergy in allergies:
        if allergy in ingredients:
            pairs.append((allergy, ""))
            continue
        named = NAMES_OF_FAMILIES.get(allergy, allergy)
        for family, drugs in FAMILIES.items():
            if not set(drugs).isdisjoint(ingredients) and (allergy in drugs or named == family):
                pairs.append((allergy, family))
    return pairs

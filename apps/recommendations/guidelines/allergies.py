"""Whether a drug is one that a patient does not tolerate, or a relative of it."""

from __future__ import annotations

from collections.abc import Iterable

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
"""Drugs by family; an intolerance of one is a warning for the others."""


def conflicts(drug: str, allergies: Iterable[str]) -> list[tuple[str, str]]:
    """(allergy, family) of what speaks against a drug; the family is empty if it is the drug itself.

    Args:
        drug, allergies: codes of the lexicon, or texts in small letters.
    """
    found = []
    for allergy in allergies:
        if allergy == drug:
            found.append((allergy, ""))
            continue
        for family, drugs in FAMILIES.items():
            if drug in drugs and (allergy in drugs or allergy == family):
                found.append((allergy, family))
    return found

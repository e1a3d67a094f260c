"""Drugs as the guideline rules know them: the names of their ingredients, in small letters, as RxNorm has them."""

from __future__ import annotations

from collections.abc import Iterable

from apps.terminology.allergens import AllergyEntry, read_allergy
from apps.terminology.drug_classes import drug_classes
from apps.terminology.drugs import ingredients_of_code
from apps.terminology.names import key_of
from apps.terminology.orders import read_order

INSULIN = "insulin"


def drugs_in(text: str) -> list[str]:
    """Ingredients of the drugs that a text names, in its order, without duplicates; none for a text without a drug."""
    drugs, _unknown = read_order(text)
    return _with_substance(name for drug in drugs for name in drug.ingredients)


def drug_of(text: str) -> str:
    """The only ingredient that a text names; the normalised text in small letters if there is none, or several."""
    names = drugs_in(text)
    return names[0] if len(names) == 1 else " ".join(text.casefold().split())


def drugs_of(code: str, text: str) -> list[str]:
    """Ingredients of a recorded medication: of its code if that is known, else of its words, else the words.

    Args:
        code: RxNorm code, or a name with hyphens as records of earlier versions have it; may be empty.
    """
    names = [part.name for part in ingredients_of_code(code)] if code.isdigit() else drugs_in(code.replace("-", " "))
    return _with_substance(names) or drugs_in(text) or [code or drug_of(text)]


def allergens_of(code: str, text: str) -> list[str]:
    """What a recorded allergy is to: ingredients and codes of classes; nothing if it says that there is no allergy.

    A class that is also the name of a drug ("penicillin") is that drug, as rules have it.
    """
    entry = read_allergy(text)
    if entry.denied:
        return []
    if code.isdigit() and (known := ingredients_of_code(code)):
        return _with_substance(part.name for part in known)
    found = _allergens(read_allergy(code.replace("-", " "))) if code else []
    return found or _allergens(entry) or [code or " ".join(text.casefold().split())]


def denies_allergy(text: str) -> bool:
    """Whether an allergy entry states the absence of allergies ("NKDA", "denies allergy to penicillin")."""
    return read_allergy(text).denied


def _allergens(entry: AllergyEntry) -> list[str]:
    found: list[str] = []
    for allergen in entry.allergens:
        if allergen.system == "vaccine":  # the guidelines name vaccines by their recorded code
            continue
        drug_class = drug_classes().get(allergen.code)
        if drug_class is None:
            found += allergen.ingredients or (allergen.name,)
            continue
        aliases = {key_of(alias) for alias in drug_class.aliases}
        found += sorted(name for name in drug_class.members if key_of(name) in aliases) or [drug_class.code]
    return _with_substance(found)


def _with_substance(names: Iterable[str]) -> list[str]:
    """The names without duplicates; an insulin analogue is also an insulin."""
    found = list(dict.fromkeys(names))
    if any(name.startswith(f"{INSULIN} ") for name in found) and INSULIN not in found:
        found.append(INSULIN)
    return found

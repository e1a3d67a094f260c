"""Build the bundled list of allergens that are no drugs from the allergen list of the US Veterans Affairs."""

from __future__ import annotations

from pathlib import Path

import pandas

from apps.terminology.names import key_of

NOT_DRUGS = frozenset({"F", "O", "DF", "FO"})
OWN = {
    "seafood": "sea food|seafoods",
    "nuts": "tree nuts|nut|treenuts",
    "peanuts": "peanut|groundnuts",
    "latex": "latex products|latex gloves|natural rubber latex|rubber",
    "bee stings": "bees|bee|bee sting|bee venom|wasps|wasp|hornets|insect stings|insect bites",
    "dust mites": "dust mite|house dust mite|house dust",
    "cats": "cat|cat dander|cat hair",
    "dogs": "dog|dog dander|dog hair",
    "pollen": "grass|grasses|ragweed|trees|tree pollen|hay fever|seasonal allergies|environmental allergies|hayfever|"
    "seasonal|environmental|weeds",
    "mold": "mould|molds|moulds",
    "adhesive tape": "adhesive|adhesives|tape|surgical tape|paper tape|silk tape|band aids|bandaids",
    "nickel": "metal|metals|jewelry",
    "soy": "soya|soybean|soybeans|soy products",
    "gluten": "wheat|wheat products",
    "sulfites": "sulfite|metabisulfite|sulphites",
    "eggs": "egg|egg white|egg yolk|egg products",
    "milk": "dairy|dairy products|cow milk|cows milk|lactose",
    "shellfish": "shrimp|crab|lobster|crustaceans|prawns|clams|oysters|scallops|mussels",
    "fish": "salmon|tuna|cod|codfish",
    "food": "foods|food additives",
    "animal dander": "dander|animals|pet dander|pets",
    "hair dye": "",
    "cosmetics": "makeup|perfume|perfumes|fragrance|fragrances",
    "cold": "cold air",
    "paint": "paints",
    "ultraviolet light": "sun|sunlight|sun exposure",
    "mango": "mangoes|mangos",
    "sesame": "sesame seeds|sesame seed",
    "beef": "red meat|alpha gal",
    "lamb": "",
}
"""Names that allergy lists use and the source lacks."""


def build_allergens(source: Path, target: Path) -> int:
    """Write ``allergens.tsv``: name and other names; return the number of rows."""
    table = pandas.read_csv(source / "va_allergens.tsv", sep="\t", dtype=str).fillna("")
    rows: dict[str, set[str]] = {name: set(other.split("|")) - {""} for name, other in OWN.items()}
    for row in table.itertuples():
        name = str(row.name).lower()
        if row.kind in NOT_DRUGS and name != "other allergy/adverse reaction" and key_of(name):
            rows.setdefault(name, set()).update(part.lower() for part in str(row.synonyms).split("|") if part)
    lines = [f"{name}\t{'|'.join(sorted(other))}" for name, other in sorted(rows.items())]
    (target / "allergens.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)

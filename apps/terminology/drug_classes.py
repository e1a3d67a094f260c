"""Drug classes: for allergies, interactions and duplicate therapy."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from apps.terminology.data_files import own_lines
from apps.terminology.drugs import drug_names


@dataclass(frozen=True, slots=True)
class DrugClass:
    """A class of drugs.

    Attributes:
        titles: in English and Chinese, by Django language code.
        aliases: other names that allergy lists use for the class.
        members: names of the ingredients, members of member classes included.
        is_therapy: whether two members together are a duplicate therapy.
    """

    code: str
    titles: dict[str, str]
    aliases: tuple[str, ...]
    members: frozenset[str]
    is_therapy: bool


@cache
def drug_classes() -> dict[str, DrugClass]:
    """Load the classes, by code."""
    rows = {row[0]: row for row in (line.split("\t") for line in own_lines("drug_classes.tsv"))}

    def members(code: str) -> frozenset[str]:
        found: set[str] = set()
        for part in filter(None, rows[code][4].split("|")):
            found |= members(part) if part in rows else {drug_names().ingredient(part).name, part}
        return frozenset(found)

    return {
        code: DrugClass(
            code,
            {"en": english, "zh-hans": chinese},
            tuple(filter(None, [english, chinese, *aliases.split("|")])),
            members(code),
            therapy == "1",
        )
        for code, english, chinese, aliases, _members, therapy in rows.values()
    }


@cache
def classes_by_ingredient() -> dict[str, frozenset[str]]:
    """Codes of the classes that an ingredient is a member of."""
    found: dict[str, set[str]] = defaultdict(set)
    for drug_class in drug_classes().values():
        for name in drug_class.members:
            found[name].add(drug_class.code)
    return {name: frozenset(codes) for name, codes in found.items()}


@cache
def expanded(side: str) -> frozenset[str]:
    """Ingredients that a side of a rule means: class codes and ingredients, joined by ``|``."""
    found: set[str] = set()
    for part in side.split("|"):
        drug_class = drug_classes().get(part)
        found |= drug_class.members if drug_class else {drug_names().ingredient(part).name, part}
    return frozenset(found)

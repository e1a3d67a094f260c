"""Drug names: ingredients, salts, brands, products, abbreviations, and Chinese names, with their ingredients.

The bundled files are described in ``data/README.md``. They are read once, at first use, and a row is only parsed when
its name is looked up: loading takes a fraction of a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from apps.terminology.data_files import own_lines, packed_lines
from apps.terminology.names import NameIndex, key_of

Use = Literal["text", "guarded", "query"]
_USES: Final[dict[str, Use]] = {"t": "text", "g": "guarded", "q": "query"}


@dataclass(frozen=True, slots=True)
class Ingredient:
    """An active ingredient.

    Attributes:
        name: in small letters.
        rxcui: RxNorm code of the ingredient; empty if the bundled release has none.
        classes: established pharmacologic classes of the FDA.
    """

    name: str
    rxcui: str
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DrugName:
    """A name with one of its contents; a brand that is sold with different contents has several rows.

    Attributes:
        shown: the preferred spelling of the name.
        kind: ``ingredient``, ``salt``, ``brand`` or ``name``.
        use: whether the name is looked for in running text.
    """

    shown: str
    kind: Literal["ingredient", "salt", "brand", "name"]
    use: Use
    ingredients: tuple[Ingredient, ...]


class DrugNames:
    """All drug names by look-up key."""

    def __init__(self) -> None:
        self._ingredients = [self._ingredient(line) for line in packed_lines("ingredients.tsv.gz")]
        self.by_name = {ingredient.name: ingredient for ingredient in self._ingredients}
        self._rows: dict[str, str] = {}
        for line in packed_lines("drugs.tsv.gz"):
            key, _separator, row = line.partition("\t")
            self._rows[key] = f"{self._rows[key]}\n{row}" if key in self._rows else row
        self._own: dict[str, tuple[DrugName, ...]] = {}
        self._load_own()
        self.index = NameIndex({**self._rows, **self._own, **dict.fromkeys(map(key_of, guards()["zh_other"]), "")})

    def rows(self, key: str) -> tuple[DrugName, ...]:
        """The rows of a name; empty for an unknown one."""
        if key in self._own:
            return self._own[key]
        row = self._rows.get(key)
        return tuple(self._parsed(key, line) for line in row.split("\n")) if row else ()

    def single_words(self) -> list[str]:
        """Names of one word that are looked for in running text: the vocabulary of spelling correction."""
        own = [key for key, rows in self._own.items() if rows[0].use == "text"]
        listed = [key for key, row in self._rows.items() if row.startswith("t")]
        return [key for key in {*own, *listed} if " " not in key and len(key) > 4]

    def ingredient(self, name: str) -> Ingredient:
        """The ingredient of a name; one without a code if no bundled table has it."""
        if name not in self.by_name:
            rows = self.rows(key_of(name))
            known = rows[0].ingredients if len(rows) == 1 and rows[0].kind != "salt" else ()
            self.by_name[name] = known[0] if len(known) == 1 else Ingredient(name, "")
        return self.by_name[name]

    def _load_own(self) -> None:
        for line in own_lines("drug_names_en.tsv"):
            name, contents, use = line.split("\t")
            self._own[key_of(name)] = (DrugName(name, "name", _USES[use], self._contents(contents)),)
        for line in own_lines("drug_names_zh.tsv"):
            contents, names = line.split("\t")
            ingredients = self._contents(contents)
            for name in names.split("|"):
                self._own[key_of(name)] = (DrugName(name, "name", _chinese_use(name), ingredients),)

    def _contents(self, names: str) -> tuple[Ingredient, ...]:
        """Ingredients of their names; one that no bundled table has is a name of its own from now on."""
        ingredients = tuple(self.ingredient(name) for name in names.split("|"))
        for ingredient in ingredients:
            key = key_of(ingredient.name)
            if key not in self._rows and key not in self._own:
                self._own[key] = (DrugName(ingredient.name, "ingredient", "text", (ingredient,)),)
        return ingredients

    def _parsed(self, key: str, row: str) -> DrugName:
        use, kind, numbers, shown = row.split("\t")
        return DrugName(
            shown or key,
            {"i": "ingredient", "s": "salt", "b": "brand", "n": "name"}[kind],  # type: ignore[arg-type]
            _USES[use],
            tuple(self._ingredients[int(number)] for number in numbers.split()),
        )

    @staticmethod
    def _ingredient(line: str) -> Ingredient:
        name, rxcui, _marketed, classes = line.split("\t")
        return Ingredient(name, rxcui, tuple(classes.split("|")) if classes else ())


@cache
def drug_names() -> DrugNames:
    """Load the drug names once."""
    return DrugNames()


@cache
def _codes() -> dict[str, str]:
    return dict(line.split("\t") for line in packed_lines("rxnorm_codes.tsv.gz"))  # type: ignore[misc]


def ingredients_of_code(rxcui: str) -> tuple[Ingredient, ...]:
    """Ingredients of an RxNorm ingredient, salt, brand or product code; empty for an unknown code."""
    names = drug_names()
    for ingredient in _by_rxcui().get(rxcui, ()):
        return (ingredient,)
    return tuple(names._ingredients[int(number)] for number in _codes().get(rxcui, "").split())


@cache
def _by_rxcui() -> dict[str, list[Ingredient]]:
    found: dict[str, list[Ingredient]] = {}
    for ingredient in drug_names()._ingredients:
        if ingredient.rxcui:
            found.setdefault(ingredient.rxcui, []).append(ingredient)
    return found


def _chinese_use(name: str) -> Use:
    if name in guards()["zh_query"]:
        return "query"
    return "guarded" if name in guards()["zh_guarded"] else "text"


@cache
def guards() -> dict[str, frozenset[str]]:
    """Word lists that keep drug names out of running text, by group; the file says what each is for."""
    groups: dict[str, set[str]] = {}
    for line in own_lines("drug_guards.tsv"):
        group, words = line.split("\t")
        groups.setdefault(group, set()).update(words.split("|"))
    return {group: frozenset(words) for group, words in groups.items()}


@cache
def everyday_words() -> frozenset[str]:
    """Words of clinical English that are never misspelt names."""
    return frozenset(packed_lines("everyday_words.txt.gz"))

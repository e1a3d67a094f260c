"""Build the bundled drug names from RxNorm, FDA and EMA tables.

Three kinds of names, because running text is not a drug list (``use``):

- ``text``: found in running text;
- ``guarded``: also a word of everyday language or of the laboratory ("iron", "Soma"): in running text only beside a
  dose or a dosage form;
- ``query``: only resolved when somebody asks for exactly this name (extracts, chemicals, homeopathic brands).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas

from apps.terminology.data_files import write_packed
from apps.terminology.drugs import guards
from apps.terminology.names import key_of

MAX_WORDS = 7
INERT = "inert ingredients"
"""What RxNorm calls the tablets without a drug in a pack."""
_EXTRACT = re.compile(r"allergenic extract|pollen|homeopath|venom protein", re.IGNORECASE)
_QUALIFIER = re.compile(r"\s*\[[^\]]*\]|\s*\((?:USP|BAN|INN|JAN|USAN)[^)]*\)", re.IGNORECASE)
_CHEMISTRY = re.compile(
    r"impurity|\bcomponent\b|\bC\.?I\.? |\bdetermination\b|\bstandard\b|\b[RS]-form\b", re.IGNORECASE
)
_STRENGTH = re.compile(r" \d[\d ]*(?:mg|mcg|g|ml|units?|iu)?$")
_CODE_NAME = re.compile(r"^[A-Za-z]{1,5}[- ]?\d{2,}[A-Za-z0-9-]*$|^\d+$")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A name as a source has it."""

    term: str
    kinds: set[str]
    sources: set[str]
    contents: tuple[str, ...]


def build_drugs(source: Path, everyday: Iterable[str], target: Path) -> dict[str, int]:
    """Write ``drugs.tsv.gz``, ``ingredients.tsv.gz`` and ``rxnorm_codes.tsv.gz``; return the number of rows of each.

    Args:
        source: folder of the drug tables (``drug_lookup.parquet``, ``ingredients.tsv`` ...).
        everyday: words of general language, lowercase.
    """
    ingredients = _ingredients(source)
    everyday_words = set(everyday)
    rows = _names(source, ingredients, everyday_words | guards()["package"])
    codes = _codes(source, ingredients)
    write_packed(target / "ingredients.tsv.gz", _ingredient_rows(ingredients))
    write_packed(target / "drugs.tsv.gz", ("\t".join(row) for row in rows))
    write_packed(target / "rxnorm_codes.tsv.gz", ("\t".join(row) for row in codes))
    return {"ingredients": len(ingredients), "names": len(rows), "codes": len(codes)}


def _ingredients(source: Path) -> dict[str, dict[str, Any]]:
    table = pandas.read_csv(source / "ingredients.tsv", sep="\t", dtype=str).fillna("")
    marketed = _marketed(source)
    found: dict[str, dict[str, Any]] = {}
    for row in table.itertuples():
        name = _ingredient_name(str(row.name))
        is_drug = not _EXTRACT.search(f"{row.name} {row.epc}") and bool(
            row.epc or row.atc_ema or row.rxcui in marketed or name in marketed
        )
        if name not in found:
            found[name] = {"index": len(found), "rxcui": row.rxcui, "epc": row.epc, "drug": is_drug}
    return found


def _marketed(source: Path) -> set[str]:
    """RXCUIs of ingredients that RxNorm has products of, and names in the veterans' drug file."""
    found: set[str] = set()
    for table in (
        pandas.read_csv(source / "rxnorm_brands.tsv", sep="\t", dtype=str),
        pandas.read_parquet(source / "rxnorm_products.parquet"),
    ):
        found.update(code for cell in table["in_rxcuis"].fillna("") for code in cell.split("|"))
    generic = pandas.read_csv(source / "va_generic.tsv", sep="\t", dtype=str).fillna("")
    found.update(part.strip().lower() for cell in generic["name"] for part in cell.split("/"))
    return found


def _ingredient_name(name: str) -> str:
    """Name of an ingredient in small letters, without the pharmacopoeia's and the species' marks."""
    name = name.split("\t")[0]  # three rows of the source hold further columns in the name
    name = re.sub(r",? \(?usp\)?$", "", name.lower())
    return name.replace(", human", "").replace("insulin, ", "insulin ") if name.startswith("insulin") else name


def _ingredient_rows(ingredients: dict[str, dict[str, Any]]) -> Iterable[str]:
    for name, row in ingredients.items():
        yield "\t".join([name, row["rxcui"], "1" if row["drug"] else "0", row["epc"]])


def _names(source: Path, ingredients: dict[str, dict[str, Any]], everyday: set[str]) -> list[list[str]]:
    by_key: dict[str, list[_Entry]] = defaultdict(list)
    for entry in _listed(source, ingredients):
        by_key[key_of(entry.term)].append(entry)
    for brand, contents in _brands_of_products(source, ingredients):
        if key_of(brand) not in by_key:
            by_key[key_of(brand)].append(_Entry(brand, {"brand"}, {"RxNorm"}, contents))
    rows = []
    for key, entries in sorted(by_key.items()):
        if _is_strength(key, entries, by_key):
            continue
        for term, kind, parts in _chosen(entries):
            sources = set().union(*(entry.sources for entry in entries if entry.contents == parts))
            use = _use(key, kind, sources, [ingredients[part] for part in parts], everyday)
            numbers = " ".join(str(ingredients[part]["index"]) for part in parts)
            rows.append([key, use[0], kind[0], numbers, _shown(term, key, kind)])
    return rows


def _is_strength(key: str, entries: list[_Entry], by_key: dict[str, list[_Entry]]) -> bool:
    """Whether the name is another one and a dose: "aspirin 81 mg"."""
    bare = _STRENGTH.sub("", key)
    return bare != key and bare in by_key and not any(entry.kinds & {"ingredient", "salt"} for entry in entries)


def _listed(source: Path, ingredients: dict[str, dict[str, Any]]) -> Iterable[_Entry]:
    """Names of the look-up table, without the codes and abbreviations of chemistry, and long product descriptions."""
    for row in pandas.read_parquet(source / "drug_lookup.parquet").itertuples():
        term = _QUALIFIER.sub("", str(row.term)).strip()
        key = key_of(term)
        contents = [_ingredient_name(part) for part in str(row.ingredients).split("|")]
        contents = [part for part in contents if part != INERT] or contents
        if not len(key) >= 2 or key.count(" ") >= MAX_WORDS or not all(part in ingredients for part in contents):
            continue
        entry = _Entry(term, set(str(row.kinds).split("|")), set(str(row.sources).split("|")), tuple(sorted(contents)))
        if not (_CHEMISTRY.search(term) or _is_laboratory(entry, key) or _is_extract(entry)):
            yield entry


def _is_laboratory(entry: _Entry, key: str) -> bool:
    short = len(key) < 5 and "RxNorm" not in entry.sources
    return entry.kinds == {"synonym"} and bool(_CODE_NAME.match(entry.term) or short)


def _is_extract(entry: _Entry) -> bool:
    return any(_EXTRACT.search(part) for part in entry.contents) and "ingredient" not in entry.kinds


def _brands_of_products(source: Path, ingredients: dict[str, dict[str, Any]]) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Brands that only the names of products tell, in brackets: packs of contraceptives, for example."""
    names = {row["rxcui"]: name for name, row in ingredients.items() if row["rxcui"] and name != INERT}
    table = pandas.read_parquet(source / "rxnorm_products.parquet")
    completed = _with_letter_a(table, ingredients, dict(zip(table["rxcui"], table["in_rxcuis"], strict=True)))
    for code, name in zip(table["rxcui"], table["name"], strict=True):
        brand = re.search(r"\[([^\]]+)\]\s*$", str(name))
        contents = tuple(sorted(names[part] for part in completed[code].split("|") if part in names))
        if brand and contents:
            yield re.sub(r"\s+\d+ Day$", "", brand.group(1)), contents


def _chosen(entries: list[_Entry]) -> list[tuple[str, str, tuple[str, ...]]]:
    """The contents of one name: an ingredient's own name means the ingredient, RxNorm overrules older lists."""
    for kind in ("ingredient", "salt"):
        own = [entry for entry in entries if kind in entry.kinds]
        if own:
            return [(own[0].term, kind, own[0].contents)]
    trusted = (
        [entry for entry in entries if entry.sources & {"RxNorm", "EMA"}]
        or [entry for entry in entries if "brand" in entry.kinds]
        or entries
    )
    found: dict[tuple[str, ...], tuple[str, str, tuple[str, ...]]] = {}
    for entry in trusted:
        kind = "brand" if "brand" in entry.kinds else "name"
        found.setdefault(entry.contents, (entry.term, kind, entry.contents))
    return list(found.values())


def _use(key: str, kind: str, sources: set[str], contents: list[dict[str, Any]], everyday: set[str]) -> str:
    words = key.split()
    plain = all(word in everyday or word.isdigit() or len(word) < 3 for word in words) and not any(
        word in guards()["kept"] for word in words
    )
    official = kind in ("ingredient", "salt") or bool(sources & {"RxNorm", "EMA"})
    drug = any(row["drug"] for row in contents)
    if kind in ("ingredient", "salt", "name"):
        if not drug:
            return "query"
        common = key in guards()["substance"]
        return "guarded" if common or (plain and kind == "name") else "text"
    if plain:
        return "guarded" if official and drug else "query"
    if official:
        return "text" if drug else "query"
    return "text" if drug and len(words) <= 3 and len(key) >= 4 and all(row["drug"] for row in contents) else "query"


def _shown(term: str, key: str, kind: str) -> str:
    """The spelling to show, empty where the key is it."""
    if kind in ("ingredient", "salt", "name"):
        term = term.lower() if term.isupper() or kind != "brand" else term
    elif term.isupper() and len(term) > 4:
        term = term.title()
    return "" if term == key else term


def _codes(source: Path, ingredients: dict[str, dict[str, Any]]) -> list[list[str]]:
    """RxNorm codes of salts, brands and products with their ingredients."""
    number = {row["rxcui"]: str(row["index"]) for row in ingredients.values() if row["rxcui"]}
    salts = pandas.read_json(source / "pin_to_in.json", typ="series", dtype=False, convert_axes=False)
    rows: list[list[str]] = []
    inert = ingredients[INERT]["rxcui"]
    contents = {str(code): str(base) for code, base in salts.items()}
    for table in (
        pandas.read_csv(source / "rxnorm_brands.tsv", sep="\t", dtype=str).rename(columns={"brand_rxcui": "rxcui"}),
        pandas.read_parquet(source / "rxnorm_products.parquet"),
    ):
        contents |= dict(zip(table["rxcui"], table["in_rxcuis"].fillna(""), strict=True))
        if "name" in table:
            contents |= _with_letter_a(table, ingredients, contents)
    for code, cell in contents.items():
        parts = cell.split("|")
        numbers = [number[part] for part in parts if part in number and part != inert]
        if numbers and all(part in number for part in parts) and code not in number:
            rows.append([code, " ".join(numbers)])
    return sorted(rows)


def _with_letter_a(table: Any, ingredients: dict[str, dict[str, Any]], contents: dict[str, str]) -> dict[str, str]:
    """Complete the products whose partners begin with "A": that part of RxNorm was missing from the source."""
    completed = {}
    for code, name in zip(table["rxcui"], table["name"], strict=True):
        parts = set(contents.get(code, "").split("|")) - {""}
        for word in re.findall(r"(?:^|[/(\s])(a[a-z]{4,}(?: a[a-z]+)?)\b", str(name).lower()):
            row = ingredients.get(word)
            if row and row["drug"] and row["rxcui"]:
                parts.add(row["rxcui"])
        completed[code] = "|".join(sorted(parts))
    return completed

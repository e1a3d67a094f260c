"""RxNorm in Rich Release Format: ``RXNCONSO.RRF`` (names) and ``RXNREL.RRF`` (relations), of one release.

The names of FDA and EMA lists and MedPortal's own stay; a name that the release has too means what the release says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from apps.terminology.data_files import packed_lines, write_packed
from apps.terminology.loading.errors import WrongRelease
from apps.terminology.loading.tables import rows_of
from apps.terminology.names import key_of

CONSO, REL = "RXNCONSO.RRF", "RXNREL.RRF"
CONSO_COLUMNS, REL_COLUMNS = 18, 16
INGREDIENT = "IN"
KINDS = {"IN": "i", "PIN": "s", "BN": "b", "MIN": "n", "SY": "n", "TMSY": "n"}
"""Types of terms that are names of drugs, with the kind that the bundle gives them."""
TO_INGREDIENTS = frozenset(
    ["has_ingredient", "has_ingredients", "consists_of", "tradename_of", "form_of", "contains", "has_part", "isa"]
)
MAX_STRANGERS = 0.01
"""Share of relations to unknown concepts from which the two tables are of different releases."""


def load_rxnorm(folder: Path, target: Path) -> dict[str, str]:
    """Write ``ingredients.tsv.gz``, ``drugs.tsv.gz`` and ``rxnorm_codes.tsv.gz``; return ingredients by code.

    Raises:
        WrongRelease: if a table is missing or truncated, or the two do not belong together.
    """
    for name in (CONSO, REL):
        if not (folder / name).is_file():
            raise WrongRelease(f"{name} is missing beside the other table of RxNorm; give the whole folder rrf/")
    names, terms = _names(folder / CONSO)
    if not names:
        raise WrongRelease(f"{CONSO} has no ingredient (SAB RXNORM, TTY IN): give RxNorm's own file")
    contents = _contents(_relations(folder / REL, {code for code, _term, _kind in terms}), names)
    numbers = _write_ingredients(names, target)
    _write_names(terms, contents, numbers, target)
    rows = sorted((code, parts) for code, parts in contents.items() if code not in names)
    write_packed(target / "rxnorm_codes.tsv.gz", (f"{code}\t{_joined(parts, numbers)}" for code, parts in rows))
    return names


def _names(path: Path) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """Names of the ingredients by code, and all terms as (code, name, type)."""
    names: dict[str, str] = {}
    terms: list[tuple[str, str, str]] = []
    for row in rows_of(path, CONSO_COLUMNS):
        code, language, source, kind, name, suppressed = row[0], row[1], row[11], row[12], row[14], row[16]
        if source == "RXNORM" and language == "ENG" and suppressed in ("", "N"):
            terms.append((code, name, kind))
            if kind == INGREDIENT:
                names[code] = name.lower()
    return names, terms


def _relations(path: Path, known: set[str]) -> dict[str, set[str]]:
    """Concepts one step nearer to the ingredients, by code: a row's second concept has the relation to its first."""
    found: dict[str, set[str]] = defaultdict(set)
    total = strangers = 0
    for row in rows_of(path, REL_COLUMNS):
        first, second, relation, source = row[0], row[4], row[7], row[10]
        if source != "RXNORM" or relation not in TO_INGREDIENTS or not (first and second):
            continue
        total += 1
        strangers += first not in known
        found[second].add(first)
    if total == 0 or strangers > MAX_STRANGERS * total:
        raise WrongRelease(
            f"{strangers} of {total} relations in {REL} are to concepts that {CONSO} does not have: the two files are "
            "of different releases, or one is truncated; take both from one release"
        )
    return found


def _contents(nearer: dict[str, set[str]], names: dict[str, str]) -> dict[str, frozenset[str]]:
    """Codes of the ingredients of every concept that relations lead from."""
    found: dict[str, frozenset[str]] = {code: frozenset([code]) for code in names}

    def ingredients(code: str, above: frozenset[str]) -> frozenset[str]:
        if code not in found:
            steps = nearer.get(code, set()) - above
            found[code] = frozenset().union(*(ingredients(step, above | {code}) for step in steps))
        return found[code]

    for code in list(nearer):
        ingredients(code, frozenset())
    return {code: parts for code, parts in found.items() if parts}


def _write_ingredients(names: dict[str, str], target: Path) -> dict[str, int]:
    """Rows of the bundle, renamed where the release says so, then the new ones; return the numbers by code."""
    rows = [line.split("\t") for line in packed_lines("ingredients.tsv.gz")]
    numbers = {row[1]: number for number, row in enumerate(rows) if row[1]}
    for code, name in names.items():
        if code not in numbers:
            numbers[code] = len(rows)
            rows.append([name, code, "1", ""])
    write_packed(target / "ingredients.tsv.gz", ("\t".join(row) for row in rows))
    return numbers


def _write_names(
    terms: list[tuple[str, str, str]], contents: dict[str, frozenset[str]], numbers: dict[str, int], target: Path
) -> None:
    bundled: dict[str, list[str]] = defaultdict(list)
    uses: dict[str, str] = {}
    for line in packed_lines("drugs.tsv.gz"):
        key, row = line.split("\t", 1)
        bundled[key].append(row)
        uses[key] = row[0]
    released: dict[str, dict[str, str]] = defaultdict(dict)
    for code, name, kind in terms:
        key = key_of(name)
        if kind in KINDS and code in contents and key:
            parts = _joined(contents[code], numbers)
            shown = "" if name == key else name
            released[key].setdefault(parts, f"{uses.get(key, 't')}\t{KINDS[kind]}\t{parts}\t{shown}")
    merged = {**bundled, **{key: list(rows.values()) for key, rows in released.items()}}
    write_packed(target / "drugs.tsv.gz", (f"{key}\t{row}" for key in sorted(merged) for row in merged[key]))


def _joined(parts: Iterable[str], numbers: dict[str, int]) -> str:
    return " ".join(str(number) for number in sorted(numbers[part] for part in parts))

"""Build the bundled conditions: ICD-10-CM codes with titles, and the terms that lead to them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pandas

from apps.terminology.condition_text import stems
from apps.terminology.data_files import write_packed
from apps.terminology.names import key_of

SHARE_ALIKE = "abbrev wikipedia"
"""Source whose licence would bind the whole product; a term that only it has is left out."""
TITLE = "ICD-10-CM title"


def build_conditions(source: Path, target: Path) -> tuple[int, int]:
    """Write ``conditions.tsv.gz`` and ``condition_terms.tsv.gz``; return the numbers of codes and terms.

    A code's row: code, whether billable, allowed seventh characters, title. A term's row: look-up key, stems, codes.
    """
    tabular = pandas.read_parquet(source / "icd10cm_codes.parquet")
    complete = pandas.read_parquet(source / "icd10cm_2025_all_codes.parquet")
    billable = dict(zip(complete["code"], complete["billable"], strict=True))
    known = set(tabular["code"])
    sevenths: dict[str, str] = defaultdict(str)
    for code in complete["code"]:
        if code not in known and len(code) == 8:
            sevenths[_base(code, known)] += code[7]
    rows = []
    for row in tabular.itertuples():
        if "-" in row.code:
            continue
        final = billable.get(row.code, row.leaf_in_tabular and not sevenths.get(row.code))
        rows.append(f"{row.code}\t{int(final)}\t{sevenths.get(row.code, '')}\t{row.title}")
    write_packed(target / "conditions.tsv.gz", rows)
    terms = _terms(source, known)
    write_packed(target / "condition_terms.tsv.gz", terms)
    return len(rows), len(terms)


def _base(code: str, known: set[str]) -> str:
    """The code of the tabular list that a code with a seventh character extends."""
    base = code[:7].rstrip("X")
    while base and base not in known:
        base = base[:-1].rstrip("X.")
    return base


def _terms(source: Path, known: set[str]) -> list[str]:
    table = pandas.read_parquet(source / "condition_lookup.parquet")
    codes: dict[str, list[str]] = defaultdict(list)
    words: dict[str, str] = {}
    for row in table.itertuples():
        sources = set(str(row.sources).split("|"))
        if sources == {SHARE_ALIKE} or row.code not in known:
            continue
        key = key_of(str(row.term))
        if key and row.code not in codes[key]:
            codes[key].append(row.code)
            words.setdefault(key, " ".join(stems(str(row.term))))
    return [f"{key}\t{words[key]}\t{'|'.join(found)}" for key, found in sorted(codes.items()) if found]

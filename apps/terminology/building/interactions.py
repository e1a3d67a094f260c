"""Build the bundled pairs of interacting ingredients from the French thesaurus and the US veterans' file.

Kept are pairs that the thesaurus calls contraindicated, and those that both lists hold with at least a precaution: each
list alone has many pairs that only add up side effects and would tire whoever reads the alerts.
"""

from __future__ import annotations

from pathlib import Path

import pandas

from apps.terminology.data_files import write_packed

CONTRAINDICATED = "contraindicated"
SEVERITY = {"not recommended": "high", "precaution": "moderate"}


def build_interactions(source: Path, target: Path) -> int:
    """Write ``interaction_pairs.tsv.gz``: two RXCUIs in order, severity; return the number of pairs."""
    thesaurus = pandas.read_parquet(source / "ansm_pairs.parquet").fillna("")
    veterans = pandas.read_csv(source / "va_interactions_rxcui.tsv", sep="\t", dtype=str).fillna("")
    listed = {frozenset(pair) for pair in zip(veterans["rxcui_a"], veterans["rxcui_b"], strict=True)}
    found: dict[tuple[str, str], str] = {}
    for row in thesaurus.itertuples():
        left, right = sorted((str(row.rxcui_a), str(row.rxcui_b)))
        if not left or left == right:
            continue
        if row.level == CONTRAINDICATED:
            found[left, right] = CONTRAINDICATED
        elif row.level in SEVERITY and frozenset((left, right)) in listed:
            found.setdefault((left, right), SEVERITY[str(row.level)])
    lines = [f"{left}\t{right}\t{severity}" for (left, right), severity in sorted(found.items())]
    write_packed(target / "interaction_pairs.tsv.gz", lines)
    return len(found)

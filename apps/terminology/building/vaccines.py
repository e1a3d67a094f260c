"""Build the bundled vaccines from CDC's CVX codes."""

from __future__ import annotations

from pathlib import Path

import pandas

OUTSIDE_THE_SCHEDULE = {"19": "BCG", "94": "MMRV"}
"""CVX codes that the schedule's table of antigens lacks."""


def build_vaccines(source: Path, target: Path) -> int:
    """Write ``vaccines.tsv``: CVX code and name; return the number of codes."""
    table = pandas.read_csv(source / "cvx_to_antigen.tsv", sep="\t", dtype=str)
    rows = table[["cvx", "description"]].drop_duplicates("cvx")
    names = OUTSIDE_THE_SCHEDULE | dict(zip(rows["cvx"], rows["description"].str.strip(), strict=True))
    lines = [f"{code}\t{name}" for code, name in sorted(names.items())]
    (target / "vaccines.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)

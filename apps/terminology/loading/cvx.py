"""CVX as CDC releases it: ``cvx.txt``, columns separated by bars."""

from __future__ import annotations

from pathlib import Path

from apps.terminology.loading.tables import rows_of

COLUMNS = 6
CODE, SHORT = 0, 1


def load_cvx(path: Path, target: Path) -> dict[str, str]:
    """Write ``vaccines.tsv``; return the names by code.

    Raises:
        WrongRelease: if the file is truncated.
    """
    names = {row[CODE].strip().zfill(2): row[SHORT].strip() for row in rows_of(path, COLUMNS) if row[CODE].strip()}
    lines = "".join(f"{code}\t{name}\n" for code, name in sorted(names.items()))
    (target / "vaccines.tsv").write_text(lines, encoding="utf-8")
    return names

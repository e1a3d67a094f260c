"""ICD-10-CM as CMS releases it: ``icd10cm_order_2026.txt``, fixed columns."""

from __future__ import annotations

import re
from pathlib import Path

from apps.terminology.data_files import write_packed
from apps.terminology.loading.errors import WrongRelease

FILE = re.compile(r"icd10cm[-_]order[-_](?:\w+[-_])?(\d{4})\.txt$", re.IGNORECASE)
_LINE = re.compile(r"^(\d{5}) ([A-Z][0-9][0-9A-Z]{1,5}) *([01]) (.{60}) (.+)$")


def load_icd10cm(path: Path, target: Path) -> dict[str, str]:
    """Write ``conditions.tsv.gz``; return the titles by code.

    Raises:
        WrongRelease: if a line is damaged or missing: the order numbers must run without a gap.
    """
    titles: dict[str, str] = {}
    sevenths: dict[str, str] = {}
    billable: set[str] = set()
    text = path.read_text(encoding="utf-8", errors="replace")
    if not text.endswith("\n"):
        raise WrongRelease(f"{path.name} ends in the middle of a line; fetch the release again")
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.match(line)
        if not match or int(match.group(1)) != number:
            raise WrongRelease(f"{path.name}, line {number}: not the order number {number:05}; fetch the release again")
        code, final, title = match.group(2), match.group(3) == "1", match.group(5).strip()
        base = _dotted(code[:6].rstrip("X"))
        if len(code) == 7 and base in titles:
            sevenths[base] = sevenths.get(base, "") + code[6]
            continue
        titles[_dotted(code)] = title
        if final:
            billable.add(_dotted(code))
    orphans = [code for code in titles if len(code) > 3 and code[:3] not in titles]
    if orphans:
        raise WrongRelease(f"{path.name}: {orphans[0]} has no category {orphans[0][:3]}; fetch the release again")
    rows = (f"{code}\t{int(code in billable)}\t{sevenths.get(code, '')}\t{title}" for code, title in titles.items())
    write_packed(target / "conditions.tsv.gz", rows)
    return titles


def _dotted(code: str) -> str:
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 else code

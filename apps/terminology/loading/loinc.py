"""LOINC as Regenstrief releases it: ``LoincTable/Loinc.csv``, columns by name (LOINC Users' Guide, appendix A)."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from apps.terminology.data_files import write_packed
from apps.terminology.loading.errors import WrongRelease
from apps.terminology.loinc import COLUMNS, SIGNED, further_codes, own_codes
from apps.terminology.ucum import NotUcum
from apps.terminology.unit_spellings import to_ucum

FILE = "Loinc.csv"
_CODE = re.compile(r"\d{1,7}-\d", re.ASCII)
"""Codes; the check digit is not asked for, as 3150-6, which is in wide use, has another one."""
NEEDED = ("LOINC_NUM", "COMPONENT", "SYSTEM", "SCALE_TYP", "STATUS", "LONG_COMMON_NAME", "EXAMPLE_UCUM_UNITS")
USED = ("ACTIVE", "TRIAL")
"""Statuses of codes that are in use; DEPRECATED and DISCOURAGED ones are not taken over."""
STATUSES = (*USED, "DEPRECATED", "DISCOURAGED")
SPECIMENS = {
    "urine": ("Urine",), "csf": ("CSF",), "stool": ("Stool",), "arterial": ("BldA",), "venous": ("BldV", "BldMV"),
    "blood": ("Ser", "Plas", "Ser/Plas", "Bld", "Ser/Plas/Bld", "BldC", "RBC", "PPP", "WBC"),
}  # fmt: skip
"""Specimens by LOINC's SYSTEM; what ends in "fld" is another fluid."""


def load_loinc(path: Path, target: Path) -> dict[str, str]:
    """Write ``loinc_codes.tsv.gz``: the quantitative codes that have a UCUM unit; return their names by code.

    Measurements of our own catalogue keep their units, ranges and limits. Molar masses, which LOINC lacks, are kept.

    Raises:
        WrongRelease: if the table is truncated, damaged, or one of other columns.
    """
    masses = {code: measure.g_per_mol for code, measure in further_codes().items() if measure.g_per_mol}
    names: dict[str, str] = {}
    lines = ["\t".join(COLUMNS)]
    for row in _rows(path):
        code, name, unit = row["LOINC_NUM"], " ".join(row["LONG_COMMON_NAME"].split()), _unit(row["EXAMPLE_UCUM_UNITS"])
        if row["STATUS"] in USED and row["SCALE_TYP"] == "Qn" and unit and name and code not in own_codes():
            names[code] = name
            signed = "1" if SIGNED.search(name) else ""
            lines.append("\t".join((code, name, unit, str(masses.get(code, "")), _specimen(row["SYSTEM"]), signed)))
    write_packed(target / "loinc_codes.tsv.gz", lines)
    return names


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of the table, each checked.

    Raises:
        WrongRelease: with the line, if something is wrong.
    """
    seen: set[str] = set()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            missing = [column for column in NEEDED if column not in header]
            if missing:
                raise WrongRelease(
                    f"{path.name} has no column {', '.join(missing)}; this is another table or another version than "
                    "LOINC 2.6x and later: give LoincTable/Loinc.csv of the release"
                )
            for cells in reader:
                where = f"{path.name}, line {reader.line_num}"
                if len(cells) != len(header):
                    raise WrongRelease(
                        f"{where}: {len(cells)} columns and not {len(header)}; the file is truncated: fetch the "
                        "release again"
                    )
                row = dict(zip(header, cells, strict=True))
                _check(row, where, seen)
                yield row
    except UnicodeDecodeError as error:
        raise WrongRelease(f"{path.name} is not UTF-8; fetch the release again") from error
    except csv.Error as error:
        raise WrongRelease(f"{path.name} breaks off or is damaged ({error}); fetch the release again") from error
    if not seen:
        raise WrongRelease(f"{path.name} has no codes; fetch the release again")


def _check(row: dict[str, str], where: str, seen: set[str]) -> None:
    code = row["LOINC_NUM"]
    if not _CODE.fullmatch(code):
        raise WrongRelease(f"{where}: {code!r} is no LOINC code; fetch the release again")
    if code in seen:
        raise WrongRelease(f"{where}: {code} is there twice; two releases are mixed: fetch the release again")
    if row["STATUS"] not in STATUSES:
        raise WrongRelease(f"{where}: status {row['STATUS']!r} is not known; give an unchanged release")
    seen.add(code)


def _unit(written: str) -> str:
    """The first of the example units, in UCUM; empty if there is none or it is none of UCUM's."""
    first = written.split(";")[0].strip()
    try:
        return to_ucum(first) if first else ""
    except NotUcum:
        return ""


def _specimen(system: str) -> str:
    bare = system.split("^")[0].strip()
    found = next((name for name, systems in SPECIMENS.items() if bare in systems), "")
    return found or ("fluid" if bare.lower().endswith("fld") else "")

"""Build ``loinc_codes.tsv.gz``: LOINC codes with their UCUM unit, beyond the catalogue of measurements.

From the table of NLM's flowsheet, and the Observations of Synthea and of the US Core examples.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apps.terminology.loinc import COLUMNS, SIGNED, own_codes
from apps.terminology.ucum import NotUcum
from apps.terminology.unit_spellings import to_ucum

LOINC = "http://loinc.org"
SPECIMENS = (
    ("urine", r"\burine\b"),
    ("csf", r"cerebral spinal|\bcsf\b"),
    ("stool", r"\bstool\b"),
    ("fluid", r"(?<!cerebral spinal )\bfluid\b(?! (?:intake|output))"),
    ("blood", r"\bserum\b|\bplasma\b|\bblood\b(?! pressure)"),
)
UNITS = {"g/24": "g/(24.h)", "mg/24": "mg/(24.h)", "mcg/24": "ug/(24.h)", "ug/24": "ug/(24.h)", "": "", "{#}": ""}


def build_loinc_codes(flowsheet: Path, bundles: list[Path], target: Path) -> int:
    """Write the table and return its number of rows.

    Args:
        flowsheet: NLM's ``nlm_flowsheet_loinc.tsv``.
        bundles: ZIP files of FHIR resources, whose Observations name further codes.
    """
    known = own_codes()
    rows: dict[str, tuple[str, ...]] = {}
    for code, name, written, mass in (*_flowsheet(flowsheet), *_observed(bundles)):
        unit = _unit(written)
        if unit and code not in known and code not in rows:
            rows[code] = (code, name, unit, mass, _specimen(name), "1" if SIGNED.search(name) else "")
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE)
    writer.writerows([COLUMNS, *rows.values()])
    target.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
    return len(rows)


def _flowsheet(path: Path) -> Iterator[tuple[str, str, str, str]]:
    with path.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            name = row["long_common_name"] or row["short_name"]
            yield row["loinc"], name, row["ucum_example"], row["molecular_weight"]


def _observed(bundles: list[Path]) -> Iterator[tuple[str, str, str, str]]:
    for path in bundles:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(name for name in archive.namelist() if name.endswith(".json")):
                document = json.loads(archive.read(name))
                entries = document.get("entry") or [{"resource": document}]
                for entry in entries:
                    yield from _quantities(entry.get("resource") or {})


def _quantities(resource: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    if resource.get("resourceType") != "Observation":
        return
    for part in [resource, *resource.get("component", [])]:
        quantity = part.get("valueQuantity") or {}
        for coding in part.get("code", {}).get("coding", []):
            if coding.get("system") == LOINC and quantity.get("code") and coding.get("display"):
                yield coding["code"], coding["display"].replace("\u200b", ""), quantity["code"], ""


def _unit(written: str) -> str:
    written = written.strip()
    try:
        return UNITS[written] if written in UNITS else to_ucum(written)
    except NotUcum:
        return ""


def _specimen(name: str) -> str:
    folded = name.lower()
    return next((specimen for specimen, pattern in SPECIMENS if re.search(pattern, folded)), "")

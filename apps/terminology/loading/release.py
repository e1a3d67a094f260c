"""Load the releases of a folder in one step: everything is checked and written beside, then made current at once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.utils import timezone

from apps.terminology.conditions import conditions
from apps.terminology.data_files import CURRENT, own_lines, path_of
from apps.terminology.drugs import drug_names
from apps.terminology.loading.cvx import load_cvx
from apps.terminology.loading.errors import WrongRelease
from apps.terminology.loading.icd10cm import FILE as ICD10CM
from apps.terminology.loading.icd10cm import load_icd10cm
from apps.terminology.loading.loinc import FILE as LOINC
from apps.terminology.loading.loinc import load_loinc
from apps.terminology.loading.rxnorm import CONSO, REL, load_rxnorm
from apps.terminology.loinc import further_codes

SMALLEST = 0.5
"""A release with fewer entries than this share of those in use is taken for truncated."""
FILES = (
    "ingredients.tsv.gz",
    "drugs.tsv.gz",
    "rxnorm_codes.tsv.gz",
    "conditions.tsv.gz",
    "vaccines.tsv",
    "loinc_codes.tsv.gz",
)


@dataclass(frozen=True, slots=True)
class Change:
    """What a release changes: codes that are new, gone, and named otherwise."""

    system: str
    total: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: tuple[str, ...]


def load_releases(
    folder: Path, store: Path, *, accept_smaller: bool = False, progress: Callable[[str], object] = lambda text: None
) -> list[Change]:
    """Load the releases that a folder has: RxNorm, ICD-10-CM, CVX, LOINC; what it lacks stays as it is.

    Raises:
        WrongRelease: if nothing is there, or something is wrong; then nothing changes.
    """
    steps = _steps(folder)
    if not steps:
        raise WrongRelease(
            f"{folder} has none of {CONSO}, icd10cm_order_YYYY.txt, cvx.txt and {LOINC} (also in folders below)"
        )
    store.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=store))
    try:
        _keep_current(draft)
        changes = []
        for system, load in steps.items():
            progress(f"{system} …")
            before = _in_use(system)
            change = _compared(system, before, load(draft))
            if change.total < SMALLEST * len(before) and not accept_smaller:
                raise WrongRelease(
                    f"{system}: only {change.total} entries where {len(before)} are in use; the release looks "
                    "truncated. If it is meant, repeat with --accept-smaller"
                )
            changes.append(change)
        _make_current(draft, store)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return changes


def _steps(folder: Path) -> dict[str, Callable[[Path], dict[str, str]]]:
    """What to load, by system.

    Raises:
        WrongRelease: if the folder has a release twice: which one is meant?
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rxnorm = {path.parent for path in files if path.name.upper() in (CONSO, REL)}
    icd10cm = [path for path in files if ICD10CM.search(path.name)]
    cvx = [path for path in files if path.name.lower() == "cvx.txt"]
    loinc = [path for path in files if path.name.lower() == LOINC.lower()]
    for name, found in (("RxNorm", sorted(rxnorm)), ("ICD-10-CM", icd10cm), ("CVX", cvx), ("LOINC", loinc)):
        if len(found) > 1:
            places = ", ".join(str(path.relative_to(folder)) for path in found)
            raise WrongRelease(f"{name} is there more than once: {places}; leave the release that is meant")
    steps: dict[str, Callable[[Path], dict[str, str]]] = {}
    if rxnorm:
        steps["RxNorm"] = lambda target: load_rxnorm(next(iter(rxnorm)), target)
    if icd10cm:
        steps["ICD-10-CM"] = lambda target: load_icd10cm(icd10cm[0], target)
    if cvx:
        steps["CVX"] = lambda target: load_cvx(cvx[0], target)
    if loinc:
        steps["LOINC"] = lambda target: load_loinc(loinc[0], target)
    return steps


def _in_use(system: str) -> dict[str, str]:
    if system == "RxNorm":
        return {row.rxcui: row.name for row in drug_names().by_name.values() if row.rxcui}
    if system == "ICD-10-CM":
        return {code: row.title for code, row in conditions().codes.items()}
    if system == "LOINC":
        return {code: measure.title["en"] for code, measure in further_codes().items()}
    return dict(line.split("\t") for line in own_lines("vaccines.tsv"))  # type: ignore[misc]


def _compared(system: str, before: dict[str, str], after: dict[str, str]) -> Change:
    renamed = [code for code in before.keys() & after.keys() if before[code].casefold() != after[code].casefold()]
    return Change(
        system,
        len(after),
        tuple(f"{code} {after[code]}" for code in sorted(after.keys() - before.keys())),
        tuple(f"{code} {before[code]}" for code in sorted(before.keys() - after.keys())),
        tuple(f"{code} {before[code]} → {after[code]}" for code in sorted(renamed)),
    )


def _keep_current(draft: Path) -> None:
    """Take over what earlier loads brought: a release of one system does not undo that of another."""
    for name in FILES:
        if path_of(name).parent.name != "data":
            shutil.copy2(path_of(name), draft / name)


def _make_current(draft: Path, store: Path) -> None:
    folder = store / timezone.now().strftime("%Y%m%dT%H%M%S%f")
    draft.rename(folder)
    pointer = store / f"{CURRENT}.new"
    pointer.write_text(folder.name, encoding="utf-8")
    pointer.replace(store / CURRENT)

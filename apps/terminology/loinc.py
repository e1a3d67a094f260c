"""Catalogue of measurements: LOINC codes, names, UCUM units, adult reference ranges and plausibility limits."""

from __future__ import annotations

import csv
import gzip
import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from apps.terminology.data_files import path_of

FOLDER = Path(__file__).parent
FILE = FOLDER / "loinc.tsv"
CODES = "loinc_codes.tsv.gz"
"""The bundled table, or that of a LOINC release that the hospital loaded."""
COLUMNS = ("loinc", "name", "unit", "g_per_mol", "specimen", "signed")
"""Columns of that table."""
SIGNED = re.compile(r"base excess|anion gap|balance|difference|axis|-score", re.IGNORECASE)
"""Names of measurements whose values may be negative."""
GROUPS = (
    "vitals", "blood", "coagulation", "chemistry", "hormones", "levels", "gas", "urine", "csf", "cardiac", "lung",
    "habits", "other",
)  # fmt: skip
ADULT = 18
"""Years of age from which the reference ranges hold."""


@dataclass(frozen=True)
class Measure:
    """One kind of measurement.

    Attributes:
        code: LOINC, or a local code where LOINC has no numeric one.
        unit: UCUM unit in which values are stored.
        low, high: adult reference range; None if there is none.
        minimum, maximum: values outside are impossible and refused.
        ask_below, ask_above: values outside are possible but so rare that they are asked about; None for no limit.
        g_per_mol: molar mass of the analyte (of creatinine in a ratio to it).
        valence: charges per molecule, for values in milliequivalents.
        specimen: ``blood`` (serum, plasma, whole blood), ``arterial``, ``venous``, ``urine``, ``csf``, or empty.
        units: further UCUM units in which it is usually reported; decides what a number without unit may mean.
        names: names and abbreviations in English and Chinese.
        same: LOINC codes of the same analyte by another method, in another unit or blood specimen; charted together.
    """

    code: str
    group: str
    title: dict[str, str]
    unit: str
    low: float | None
    high: float | None
    minimum: float
    maximum: float
    g_per_mol: float | None
    ask_below: float | None = None
    ask_above: float | None = None
    valence: int | None = None
    specimen: str = ""
    units: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    same: tuple[str, ...] = ()

    def flag(self, value: float, comparator: str = "") -> str:
        """Return ``low`` or ``high`` outside the reference range, else empty (HL7 v3 ObservationInterpretation).

        A value known only as "below 0.5" is flagged if every value it may stand for lies outside the range.
        """
        if self.low is not None and not comparator.startswith(">") and _below(value, self.low, comparator):
            return "low"
        if self.high is not None and not comparator.startswith("<") and _below(self.high, value, comparator):
            return "high"
        return ""

    @property
    def is_loinc(self) -> bool:
        """Whether the code is a LOINC code."""
        return self.code[0].isdigit()

    def for_age(self, age: float | None) -> Measure:
        """Return the measurement without its reference range for children, whose ranges are not known here."""
        return replace(self, low=None, high=None) if age is not None and age < ADULT else self


def _below(first: float, second: float, comparator: str) -> bool:
    return first <= second if comparator in ("<", ">") else first < second


STANDS_IN = {"59408-5": "2708-6"}
"""Measurements that rules and models about another one look at as well: pulse oximetry for arterial saturation."""


@cache
def catalogue() -> dict[str, Measure]:
    """Load the measurements that can be charted and chosen from a list, by code."""
    with FILE.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {
        row["code"]: Measure(
            code=row["code"],
            group=row["group"],
            title={"en": row["en"], "zh-hans": row["zh"]},
            unit=row["unit"],
            low=_number(row["low"]),
            high=_number(row["high"]),
            minimum=float(row["least"]),
            maximum=float(row["most"]),
            g_per_mol=_number(row["g_per_mol"]),
            ask_below=_number(row["ask_below"]),
            ask_above=_number(row["ask_above"]),
            valence=int(row["valence"]) if row["valence"] else None,
            specimen=row["specimen"],
            units=tuple(row["units"].split()),
            names=tuple(name for name in row["names"].split("; ") if name),
            same=tuple(row["same"].split()),
        )
        for row in rows
    }


@cache
def further_codes() -> dict[str, Measure]:
    """Load the LOINC codes that have a unit but no limits of our own, by code.

    They are read and stored with their value; there is no reference range and no plausibility check but the sign.
    """
    with gzip.open(path_of(CODES), "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {
        row["loinc"]: Measure(
            code=row["loinc"],
            group="other",
            title={"en": row["name"]},
            unit=row["unit"],
            low=None,
            high=None,
            minimum=float("-inf") if row["signed"] else 0.0,
            maximum=float("inf"),
            g_per_mol=_number(row["g_per_mol"]),
            specimen=row["specimen"],
        )
        for row in rows
    }


@cache
def own_codes() -> frozenset[str]:
    """The codes of the catalogue and of the tests that are charted with them."""
    return frozenset({*catalogue(), *_equivalents()})


def by_code(code: str) -> Measure | None:
    """Find a measurement by its LOINC code or that of an equivalent test; None if it is not known."""
    code = code.strip()
    return catalogue().get(code) or catalogue().get(_equivalents().get(code, "")) or further_codes().get(code)


def by_name(text: str) -> Measure | None:
    """Find a measurement by its code, or by its English or Chinese name or abbreviation; None if ambiguous."""
    found = find_measures(text)
    return found[0] if len(found) == 1 else None


def find_measures(text: str) -> list[Measure]:
    """Return the measurements that a code or a name denotes: none if unknown, several if it is ambiguous.

    A specimen in the name counts: "urine sodium" is never the sodium of serum.
    """
    measure = by_code(text.strip().removeprefix("LOINC ").removeprefix("loinc:").strip())
    if measure is not None:
        return [measure]
    name = folded(text)
    if found := _names().get(name):
        return [catalogue()[code] for code in found]
    specimen, bare = split_specimen(name)
    codes = dict.fromkeys((*_names().get(f"{specimen} {bare}", ()), *(_names().get(bare, ()) if bare != name else ())))
    return [catalogue()[code] for code in codes if fits_specimen(catalogue()[code], specimen)]


SPECIMENS = {
    "urine": r"urine|urinary|random urine|spot urine|24 ?h(?:our)? urine|u|ur|尿液|尿|随机尿",
    "csf": r"csf|cerebrospinal fluid|cerebral spinal fluid|spinal fluid|脑脊液",
    "stool": r"stool|faecal|fecal|faeces|feces|粪便|大便",
    "fluid": r"pleural(?: fluid)?|ascitic(?: fluid)?|ascites|peritoneal(?: fluid)?|synovial(?: fluid)?|joint fluid|"
    r"drain(?: fluid)?|body fluid|pericardial(?: fluid)?|amniotic(?: fluid)?|sweat|saliva|dialysate|gastric|"
    r"胸水|胸腔积液|腹水|关节液|引流液|汗液|唾液",
    "cord": r"cord blood|umbilical cord blood|cord|umbilical|脐血|脐带血",
    "arterial": r"arterial blood|arterial|abg|art|动脉血|动脉",
    "venous": r"venous blood|venous|vbg|ven|静脉血|静脉",
    "blood": r"serum or plasma|serum/plasma|ser/plas|serum|plasma|whole blood|blood|capillary|fingerstick|poct|"
    r"血清|血浆|全血|血液|末梢血|指血|血",
}
"""Words for specimens in folded text."""
NOISE = re.compile(
    r"\b(?:level|levels|concentration|conc|count|result|value|lab|test|measured|total)\b|水平|浓度|测定|检测|定量"
)


def split_specimen(text: str) -> tuple[str, str]:
    """Return the specimen named in a folded text, or an empty text, and the rest of the text."""
    for specimen, words in SPECIMENS.items():
        pattern = re.compile(rf"(?<![a-z])(?:{words})(?![a-z])\s*[-,]?|[\[(](?:{words})[\])]")
        if (match := pattern.search(text)) and (bare := _tidy(text[: match.start()] + " " + text[match.end() :])):
            return specimen, bare
    return "", _tidy(NOISE.sub(" ", text)) or text


def fits_specimen(measure: Measure, specimen: str) -> bool:
    """Return whether a value of this specimen may be recorded as the measurement; an empty specimen fits any."""
    if not specimen or not measure.specimen:
        return not specimen or specimen in ("blood", "arterial", "venous")
    groups = {"arterial": "blood", "venous": "blood"}
    if measure.specimen in groups:
        return specimen in (measure.specimen, "blood")
    return groups.get(specimen, specimen) == measure.specimen


def folded(text: str) -> str:
    """Return a name in lower case with plain signs and single spaces, for comparison."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("_", " ").replace("’", "'")
    text = text.replace("⁺", "+").replace("β", "beta").replace("γ", "gamma").replace("（", "(").replace("）", ")")
    return _tidy(text)


def _tidy(text: str) -> str:
    text = re.sub(r"\(\s*\)|\[\s*\]", " ", text)
    return " ".join(re.sub(r"\s*[,;:：，。.]\s*(?=$|\s)", " ", text).split()).strip(" -,:;")


def _number(text: str) -> float | None:
    return float(text) if text else None


@cache
def _equivalents() -> dict[str, str]:
    return {other: measure.code for measure in catalogue().values() for other in measure.same}


@cache
def _names() -> dict[str, tuple[str, ...]]:
    names: dict[str, list[str]] = {}
    for measure in catalogue().values():
        for name in {folded(name) for name in (measure.code, *measure.title.values(), *measure.names)}:
            names.setdefault(name, []).append(measure.code)
    return {name: tuple(codes) for name, codes in {**names, **AMBIGUOUS}.items()}


AMBIGUOUS = {
    "troponin": ["6598-7", "10839-9", "67151-1", "89579-7"],
    "trop": ["6598-7", "10839-9", "67151-1", "89579-7"],
    "hs-troponin": ["67151-1", "89579-7"],
    "hs troponin": ["67151-1", "89579-7"],
    "high sensitivity troponin": ["67151-1", "89579-7"],
    "肌钙蛋白": ["6598-7", "10839-9", "67151-1", "89579-7"],
    "d-dimer": ["48065-7", "48066-5"],
    "d dimer": ["48065-7", "48066-5"],
    "ddimer": ["48065-7", "48066-5"],
    "d-二聚体": ["48065-7", "48066-5"],
    "d二聚体": ["48065-7", "48066-5"],
    "blood pressure": ["8480-6", "8462-4"],
    "bp": ["8480-6", "8462-4"],
    "血压": ["8480-6", "8462-4"],
    "vancomycin": ["20578-1", "4092-3"],
    "万古霉素": ["20578-1", "4092-3"],
}
"""Names that stand for several measurements; which one must be said."""

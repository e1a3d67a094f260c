"""A hospital's own releases are taken over whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.terminology import conditions as condition_files
from apps.terminology import drugs, loinc, vaccines
from apps.terminology.conditions import title_of
from apps.terminology.data_files import STORE, use_releases
from apps.terminology.resolution import resolve

CACHES = (
    drugs.drug_names, drugs._codes, drugs._by_rxcui, condition_files.conditions, vaccines._codes, vaccines._names,
    loinc.further_codes,
)  # fmt: skip


def conso(code: str, kind: str, name: str) -> str:
    return f"{code}|ENG|P||PF||N|a{code}||{code}||RXNORM|{kind}|{code}|{name}||N||\n"


def rel(first: str, relation: str, second: str) -> str:
    return f"{first}||CUI|RO|{second}||CUI|{relation}|||RXNORM||||N||\n"


NAMES = conso("9000001", "IN", "newdrugumab") + conso("9000002", "BN", "Novabrand") + conso(
    "9000003", "SCD", "newdrugumab 10 MG Oral Tablet"
) + conso("9000004", "SCDC", "newdrugumab 10 MG") + conso("723", "IN", "amoxicillin")  # fmt: skip
RELATIONS = (
    rel("9000001", "tradename_of", "9000002")
    + rel("9000004", "consists_of", "9000003")
    + rel("9000001", "has_ingredient", "9000004")
)
ORDER = (
    "00001 A00     0 Cholera                                                      Cholera\n"
    "00002 A000    1 Cholera due to Vibrio cholerae 01, biovar cholerae           Cholera of a new kind\n"
    "00003 S72001  0 Fracture                                                     Fracture of right femur\n"
    "00004 S72     0 Fracture                                                     Fracture of femur\n"
    "00005 S72001A 1 Fracture                                                     Fracture of right femur, initial\n"
)
CVX = "19 |BCG|Bacillus Calmette-Guerin|notes|Active|2010\n999|newvax|a new vaccine|notes|Active|2026\n"


LOINC_COLUMNS = (
    "LOINC_NUM", "COMPONENT", "PROPERTY", "TIME_ASPCT", "SYSTEM", "SCALE_TYP", "METHOD_TYP", "CLASS",
    "VersionLastChanged", "CHNG_TYPE", "DefinitionDescription", "STATUS", "CONSUMER_NAME", "CLASSTYPE", "FORMULA",
    "EXMPL_ANSWERS", "SURVEY_QUEST_TEXT", "SURVEY_QUEST_SRC", "UNITSREQUIRED", "RELATEDNAMES2", "SHORTNAME",
    "ORDER_OBS", "HL7_FIELD_SUBFIELD_ID", "EXTERNAL_COPYRIGHT_NOTICE", "EXAMPLE_UNITS", "LONG_COMMON_NAME",
    "EXAMPLE_UCUM_UNITS", "STATUS_REASON", "STATUS_TEXT", "CHANGE_REASON_PUBLIC", "COMMON_TEST_RANK",
    "COMMON_ORDER_RANK", "HL7_ATTACHMENT_STRUCTURE", "EXTERNAL_COPYRIGHT_LINK", "PanelType", "AskAtOrderEntry",
    "AssociatedObservations", "VersionFirstReleased", "ValidHL7AttachmentRequest", "DisplayName",
)  # fmt: skip


def loinc_row(code: str, name: str, unit: str, *, system: str = "Ser/Plas", status: str = "ACTIVE") -> str:
    cells = {
        "LOINC_NUM": code, "COMPONENT": name, "SYSTEM": system, "SCALE_TYP": "Qn", "STATUS": status,
        "LONG_COMMON_NAME": name, "EXAMPLE_UCUM_UNITS": unit, "RELATEDNAMES2": 'Ser; "quoted", with commas',
    }  # fmt: skip
    quoted = (cells.get(column, "").replace('"', '""') for column in LOINC_COLUMNS)
    return ",".join(f'"{cell}"' for cell in quoted) + "\r\n"


LOINC = (
    ",".join(f'"{column}"' for column in LOINC_COLUMNS) + "\r\n"
    + loinc_row("98765-4", "Fasting glucose of a new kind", "mmol/L;mg/dL")
    + loinc_row("69001-6", "Heart rate --standing up", "/min", system="XXX")
    + loinc_row("2160-0", "Creatinine, which the catalogue has", "mg/dL")
    + loinc_row("40442-6", "Heart rate --post exercise", "/min", status="DEPRECATED")
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, settings: Any) -> Iterator[Path]:
    def forget() -> None:
        for cached in CACHES:
            cached.cache_clear()

    settings.VAR_DIR = tmp_path / "var"
    yield settings.VAR_DIR / STORE
    use_releases(tmp_path / "none")
    forget()


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    (folder / "rrf").mkdir(parents=True)
    (folder / "rrf" / "RXNCONSO.RRF").write_text(NAMES)
    (folder / "rrf" / "RXNREL.RRF").write_text(RELATIONS)
    (folder / "icd10cm_order_2027.txt").write_text(ORDER)
    (folder / "cvx.txt").write_text(CVX)
    (folder / "LoincTable").mkdir()
    (folder / "LoincTable" / "Loinc.csv").write_bytes(LOINC.encode("utf-8-sig"))
    return folder


def load(folder: Path, *options: str) -> str:
    said = StringIO()
    call_command("terminology", "load", folder, *options, stdout=said)
    return said.getvalue()


def test_a_release_is_taken_over_and_what_changed_is_said(release: Path, store: Path) -> None:
    said = load(release, "--accept-smaller")
    assert "RxNorm: 2 entries" in said and "9000001 newdrugumab" in said
    assert "LOINC: 2 entries" in said and "69001-6 Heart rate --standing → Heart rate --standing up" in said
    assert f"{len(loinc.further_codes()) - 1} gone" in said.split("LOINC:")[1]  # the bundled ones are still in use
    assert "A00.0 Cholera due to Vibrio cholerae 01, biovar cholerae → Cholera of a new kind" in said
    use_releases(store)
    for cached in CACHES:
        cached.cache_clear()
    assert [candidate.ingredients for candidate in resolve("Novabrand 10 mg", "drug")] == [("newdrugumab",)]
    assert [part.name for part in drugs.ingredients_of_code("9000003")] == ["newdrugumab"]
    assert resolve("Augmentin", "drug")[0].ingredients == ("amoxicillin", "clavulanate")
    assert title_of("A00.0") == "Cholera of a new kind" and title_of("E11.9") == ""
    assert title_of("S72.001A").startswith("Fracture of right femur")
    assert resolve("newvax", "vaccine")[0].code == "999"
    fasting = loinc.by_code("98765-4")
    assert fasting is not None and (fasting.unit, fasting.specimen) == ("mmol/L", "blood")
    creatinine = loinc.by_code("2160-0")
    assert creatinine is not None and creatinine.high is not None  # our own measurements keep their ranges
    assert loinc.by_code("40442-6") is None


def test_a_later_release_of_one_system_keeps_the_others(release: Path, store: Path) -> None:
    load(release, "--accept-smaller")
    use_releases(store)
    (release / "icd10cm_order_2027.txt").unlink()
    (release / "cvx.txt").unlink()
    load(release, "--accept-smaller")
    use_releases(store)
    for cached in CACHES:
        cached.cache_clear()
    assert title_of("A00.0") == "Cholera of a new kind"


def cut(path: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        text = (folder / path).read_text()
        (folder / path).write_text(text[: len(text) - 15])

    return apply


def replaced(path: str, content: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(content)

    return apply


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (cut("rrf/RXNCONSO.RRF"), "RXNCONSO.RRF, line 5"),
        (cut("rrf/RXNREL.RRF"), "RXNREL.RRF, line 3"),
        (replaced("rrf/RXNREL.RRF", RELATIONS.replace("9000001", "9999999")), "different releases"),
        (lambda folder: (folder / "rrf" / "RXNREL.RRF").unlink(), "RXNREL.RRF is missing"),
        (cut("icd10cm_order_2027.txt"), "in the middle of a line"),
        (replaced("icd10cm_order_2027.txt", ORDER.replace("00003", "00004")), "line 3"),
        (replaced("icd10cm_order_2026.txt", ORDER), "more than once"),
        (replaced("old/RXNCONSO.RRF", NAMES), "more than once"),
        (replaced("cvx.txt", "19|BCG\n"), "cvx.txt, line 1"),
        (replaced("cvx.txt", ""), "cvx.txt is empty"),
        (cut("LoincTable/Loinc.csv"), "36 columns and not 40"),
        (replaced("LoincTable/Loinc.csv", LOINC[: LOINC.index("quoted") - 3]), "Loinc.csv breaks off"),
        (replaced("LoincTable/Loinc.csv", LOINC.rsplit(",", 3)[0] + "\r\n"), "line 5: 37 columns and not 40"),
        (replaced("LoincTable/Loinc.csv", LOINC.replace("69001-6", "69001")), "no LOINC code"),
        (replaced("LoincTable/Loinc.csv", LOINC.replace("69001-6", "98765-4")), "there twice"),
        (replaced("LoincTable/Loinc.csv", LOINC.replace("EXAMPLE_UCUM_UNITS", "UNITS")), "EXAMPLE_UCUM_UNITS"),
        (replaced("LoincTable/Loinc.csv", LOINC.replace("DEPRECATED", "DELETED")), "'DELETED' is not known"),
        (replaced("LoincTable/Loinc.csv", ""), "has no column LOINC_NUM"),
        (replaced("old/Loinc.csv", LOINC), "LOINC is there more than once"),
        (lambda folder: None, "looks truncated"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_release_changes_nothing_and_says_why(
    damage: Callable[[Path], None], why: str, release: Path, store: Path
) -> None:
    damage(release)
    options = () if why == "looks truncated" else ("--accept-smaller",)
    with pytest.raises(CommandError, match=why):
        load(release, *options)
    assert list(store.glob("*")) == [] and not (store / "current").exists()


def test_a_folder_without_releases_says_what_is_looked_for(tmp_path: Path, store: Path) -> None:
    with pytest.raises(CommandError, match=r"RXNCONSO\.RRF"):
        load(tmp_path)
    with pytest.raises(CommandError, match="no folder"):
        load(tmp_path / "nothing")

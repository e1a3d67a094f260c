"""Orders warn where they must, and only there."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from apps.terminology.data_files import own_lines, packed_lines
from apps.terminology.drug_classes import drug_classes
from apps.terminology.drugs import drug_names
from apps.terminology.names import key_of
from apps.terminology.order_check import check_order
from apps.terminology.resolution import find_names
from apps.terminology.vaccines import resolve_vaccine

CASES = [json.loads(line) for line in (Path(__file__).parent / "data" / "orders.jsonl").read_text().splitlines()]
OPIOID_ANTAGONISTS = ("naloxone", "naltrexone", "nalmefene")
"""Listed as opioids in the data; they do not act like one."""
PENICILLINS = (
    "Penicillin G 2 MU IV", "Pen VK 500 mg", "Amoxicillin 500 mg", "Augmentin 875", "Ampicillin 1 g", "Unasyn 3 g",
    "Dicloxacillin", "Nafcillin 2 g", "Oxacillin 1 g", "piperacillin-tazobactam", "Bicillin L-A",
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['order'][:30]} {case['allergies']}")
def test_each_case_has_its_warning(case: dict[str, Any]) -> None:
    found = check_order(case["order"], allergies=case["allergies"], medications=case["medications"])
    if case["warns"] is None:
        assert found == []
        return
    kind, _comma, severity = case["warns"].partition(", ")
    assert any(row.kind == kind and severity in ("", row.severity) for row in found), found


@pytest.mark.parametrize("order", PENICILLINS)
def test_every_penicillin_warns(order: str) -> None:
    assert [row.kind for row in check_order(order, allergies=["Penicillin"])] == ["allergy"]


def test_the_high_priority_list_is_complete(shared_data: Path) -> None:
    with (shared_data / "terminology" / "interactions" / "onc_high_priority.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    missed = [
        (row["n"], left, right)
        for row in rows
        for left in filter(None, row["object_members"].split("|"))
        for right in filter(None, row["precipitant_members"].split("|"))
        if left != right
        and left not in OPIOID_ANTAGONISTS
        and not any(one.kind == "interaction" for one in check_order(left, medications=[right]))
    ]
    assert len(rows) == 15
    assert missed == []


def test_a_code_is_enough_and_an_unknown_one_is_said() -> None:
    amoxicillin = drug_names().by_name["amoxicillin"].rxcui
    assert [row.kind for row in check_order("", codes=[amoxicillin], allergies=["PCN"])] == ["allergy"]
    (warning,) = check_order("", codes=["999999999"], allergies=["PCN"])
    assert warning.kind == "not-recognised" and "999999999" in warning.text
    (warning,) = check_order("")
    assert warning.kind == "not-recognised"


def test_a_misspelt_drug_is_checked_and_said_to_be_unsure() -> None:
    kinds = [row.kind for row in check_order("Amoxicilin 500 mg", allergies=["Penicillin"])]
    assert kinds == ["allergy", "not-recognised"]


@pytest.mark.parametrize(
    ("order", "name"),
    [
        ("Warfain", "warfarin"), ("amoxicilin 500 mg", "amoxicillin"), ("Coumadn 5 mg", "warfarin"),
        ("metformin 500 mg, lisinoprl 10 mg", "lisinopril"), ("metropolol 25 mg", "metoprolol"),
    ],
)  # fmt: skip
def test_what_a_misspelt_drug_may_mean_is_asked(order: str, name: str) -> None:
    (warning,) = check_order(order)
    assert warning.kind == "not-recognised"
    assert re.search(rf"did you mean .*\b{name}\b.*\?", warning.text)


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    (warning,) = check_order("zyxomib 5 mg")
    assert "did you mean" not in warning.text


@pytest.mark.parametrize(
    ("state", "unread"),
    [
        ({"allergies": ["Paracetamol & Blubberazine"]}, ["Blubberazine"]),
        ({"allergies": ["penicillin, latex, zyxoprole (rash)"]}, ["zyxoprole"]),
        ({"allergies": ["Penicilin, latex"]}, ["Penicilin"]),
        ({"allergies": ["青霉素、某某平过敏"]}, ["某某平"]),
        ({"allergies": ["No allergies except sulfa and zyxoprole"]}, ["zyxoprole"]),
        ({"medications": ["amlodipine and zyxoprole 5 mg"]}, ["zyxoprole"]),
        ({"medications": ["氨氯地平、普某灵"]}, ["普某灵"]),
        ({"order": "metformin / zyxogliptin 50/500"}, ["zyxogliptin"]),
        ({"allergies": ["Paracetamol & Amidopyrine"]}, []),
        ({"allergies": ["penicillin - anaphalaxis in childhood, told by his mother"]}, []),
        ({"allergies": ["青霉素过敏，全身皮疹伴瘙痒"]}, []),
        ({"medications": ["Biogesic (paracetamol) 500 mg three times daily after meals"]}, []),
        ({"medications": ["Amlodipine Sandoz 5 mg", "per Dr. Vilheim: allopurinol 300 mg"]}, []),
    ],
)
def test_what_part_of_an_entry_is_not_understood_is_said(state: dict[str, Any], unread: list[str]) -> None:
    found = check_order(**{"order": "Vitamin B12", **state})
    assert [row.subject for row in found if row.kind == "not-recognised"] == unread


@pytest.mark.parametrize(
    ("allergy", "order", "severity"),
    [
        ("codeine", "tramadol 50 mg", "low"),
        ("codeine", "tapentadol", "low"),
        ("Tramadol", "oxycodone", "low"),
        ("可待因", "曲马多", "low"),
        ("codeine", "hydromorphone", "moderate"),
        ("Ultram", "Nucynta", "moderate"),
    ],
)
def test_opioids_of_another_structure_warn_low(allergy: str, order: str, severity: str) -> None:
    assert [(row.kind, row.severity) for row in check_order(order, allergies=[allergy])] == [("class", severity)]


@pytest.mark.parametrize(
    "order",
    ["ipratropium (Atrovent) 2 puffs", "acetaminophen 500 mg [Tylenol]", "Cozaar (losartan)", "losartan aka Cozaar"],
)
def test_a_name_in_brackets_is_the_same_drug_again(order: str) -> None:
    assert check_order(order) == []
    (warning,) = check_order(order, medications=[order])
    assert warning.kind == "duplicate"


def test_a_warning_names_the_allergen_that_it_is_about() -> None:
    (warning,) = check_order("nafcillin", allergies=["Allergies: (1) penicillin (2) iodine"])
    assert "penicillins" in warning.text and "iodine" not in warning.text


def test_drugs_of_one_order_are_checked_against_each_other() -> None:
    assert [row.kind for row in check_order("warfarin 5 mg, ibuprofen 400 mg")] == ["interaction"]
    table = "Drug\tDose\nMetformin\t500 mg\nLisinopril\t10 mg"
    assert check_order(table) == []


def test_the_worst_comes_first() -> None:
    found = check_order("Viagra 50 mg", medications=["nitroglycerin SL", "zyxomib", "sildenafil 20 mg"])
    assert [row.severity for row in found] == ["contraindicated", "moderate", "moderate"]
    assert found[0].kind == "interaction"


@pytest.mark.parametrize(
    ("order", "state", "kinds"),
    [
        ("Ramipril 5 mg", {"pregnant": True}, ["pregnancy"]),
        ("Metformin 500 mg", {"egfr": 25.0}, ["renal"]),
        ("Metformin 500 mg", {"egfr": 45.0}, []),
        ("Metformin 500 mg", {}, []),
        ("Ibuprofen gel", {"pregnant": True, "egfr": 20.0}, []),
        ("MMR vaccine", {"pregnant": True}, ["pregnancy"]),
        ("flu shot", {"pregnant": True}, []),
        ("yellow fever vaccine", {"pregnant": True}, ["pregnancy"]),
    ],
)
def test_pregnancy_and_kidneys_count_where_they_are_known(order: str, state: dict[str, Any], kinds: list[str]) -> None:
    assert [row.kind for row in check_order(order, **state)] == kinds


def test_warnings_are_in_the_language_of_the_reader() -> None:
    with translation.override("zh-hans"):
        (warning,) = check_order("布洛芬 0.3g", medications=["华法林"])
        (allergy,) = check_order("阿莫西林", allergies=["青霉素"])
    assert "出血" in warning.text and "with" not in warning.text
    assert "青霉素类" in allergy.text and "allergy" not in allergy.text


def test_every_rule_names_known_drugs_and_classes() -> None:
    names = drug_names()
    listed = {line.split("\t")[0] for line in packed_lines("ingredients.tsv.gz")}
    for file in ("interactions.tsv", "allergy_relations.tsv", "cautions.tsv"):
        for line in own_lines(file):
            for side in line.split("\t")[1 if file == "cautions.tsv" else 0 : 2]:
                for part in side.lstrip("=").split("|"):
                    known = part in drug_classes() or part in listed or names.rows(key_of(part))
                    assert known or resolve_vaccine(part) or part == "fish", (file, part)


def test_the_command_answers_line_by_line(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"allergies": ["PCN"], "medications": [], "order": "Amoxicillin"}\n{"order": "metformin"}\n')
    call_command("check_orders", source, target, verbosity=0)
    first, second = (json.loads(line) for line in target.read_text().splitlines())
    assert first["warnings"][0].keys() == {"kind", "severity", "text"} and second == {"warnings": []}


@pytest.mark.parametrize(
    ("line", "why"),
    [("{", "line 1"), ("[]", "one JSON object"), ('{"order": 3}', '"order" is text'), ('{"allergies": "x"}', "a list")],
)
def test_a_wrong_line_gets_an_error_in_its_place_and_the_others_are_answered(
    line: str, why: str, tmp_path: Path
) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(f'{line}\n\n{{"order": "metformin"}}\n')
    call_command("check_orders", source, target, verbosity=0)
    first, second = (json.loads(row) for row in target.read_text().splitlines())
    assert why in first["error"] and "warnings" not in first
    assert second == {"warnings": []}


def test_a_line_that_is_no_utf8_spoils_no_other(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(b'\xff\n{"order": "metformin\xe2\x80\xa8"}\n' + b"[" * 100_000 + b"\n")
    call_command("check_orders", source, target, verbosity=0)
    first, second, third = (json.loads(row) for row in target.read_text().split("\n")[:3])
    assert "line 1" in first["error"] and second == {"warnings": []} and "line 3" in third["error"]


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="file of JSON lines"):
        call_command("check_orders", tmp_path / "none.jsonl", tmp_path / "out.jsonl")


@pytest.mark.parametrize(
    ("medication", "order", "why"),
    [
        ("alcohol", "metronidazole 500 mg", "disulfiram"),
        ("etoh daily", "oxycodone 5 mg", "respiratory"),
        ("饮酒", "头孢哌酮", "disulfiram"),
        ("beer", "diazepam", "sedation"),
        ("lisinopril", "K+ 20 mEq po daily", "potassium"),
        ("K 20", "spironolactone 25", "hyperkalaemia"),
    ],
)
def test_alcohol_and_abbreviated_electrolytes_are_substances(medication: str, order: str, why: str) -> None:
    warnings = check_order(order, medications=[medication])
    assert any(why in warning.text for warning in warnings), warnings
    assert all(warning.kind != "not-recognised" for warning in warnings)


def test_alcohol_in_a_note_is_no_medication() -> None:
    assert not find_names("饮酒史20年，白酒每日半斤。", ("drug",)) and not find_names(
        "He drinks beer and K is 4.", ("drug",)
    )

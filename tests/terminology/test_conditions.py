"""Codes are found by what people type, and made-up ones do not exist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from apps.terminology.condition_search import search_conditions
from apps.terminology.conditions import conditions, normal_code, title_of
from apps.terminology.data_files import own_lines
from apps.terminology.icd10 import search_codes
from apps.terminology.resolution import find_names, resolve

DATA = Path(__file__).parent / "data"
ENOUGH = 0.95


def queries(name: str) -> list[tuple[str, tuple[str, ...]]]:
    rows = [line.split("\t") for line in (DATA / name).read_text(encoding="utf-8").splitlines()]
    return [(query, tuple(codes.split("|"))) for query, codes in rows]


def is_right(query: str, codes: tuple[str, ...]) -> bool:
    return any(code.startswith(codes) for code in search_conditions(query)[:3])


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("part", ["tuned on", "set aside"])
def test_everyday_queries_find_their_code_among_the_first_three(language: str, part: str) -> None:
    rows = queries(f"code_queries_{language}.tsv")[part == "set aside" :: 2]
    wrong = [query for query, codes in rows if not is_right(query, codes)]
    assert len(rows) > 100
    assert len(wrong) <= (1 - ENOUGH) * len(rows), wrong


@pytest.mark.parametrize("language", ["en", "zh"])
def test_specific_diagnoses_find_their_code_among_the_first_three(language: str) -> None:
    rows = queries(f"code_queries_specific_{language}.tsv")
    wrong = [query for query, codes in rows if not is_right(query, codes)]
    assert len(wrong) <= (1 - ENOUGH) * len(rows), wrong


@pytest.mark.parametrize(("query", "codes"), queries("code_search.tsv"))
def test_the_reported_queries_are_answered(query: str, codes: tuple[str, ...]) -> None:
    assert is_right(query, codes)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("type 2 diabetes", "E11.9"),
        ("stemi", "I21.3"),
        ("heart attack", "I21.9"),
        ("copd", "J44.9"),
        ("糖尿病", "E11.9"),
        ("R hip fx", "S72.001A"),
        ("left knee pain", "M25.562"),
        ("右膝关节痛", "M25.561"),
        ("haemorrhoids", "K64.9"),
        ("diabetis", "E11.9"),
        ("hypertention", "I10"),
        ("pnuemonia", "J18.9"),
        ("e119", "E11.9"),
        ("J18", "J18.9"),
        ("S72.001A", "S72.001A"),
    ],
)
def test_the_plain_disease_comes_first(query: str, first: str) -> None:
    assert search_conditions(query)[0] == first


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ("S67.01A", ["S67.01XA"]),
        ("s6701d", ["S67.01XD"]),
        ("S67.01", ["S67.01XA", "S67.01"]),
        ("T36.01", ["T36.0X1A", "T36.0X1"]),
        ("T36.01A", ["T36.0X1A"]),
        ("W19A", ["W19.XXXA"]),
        ("O36.41", ["O36.4XX1"]),
        ("S67.0A", ["S67.00XA", "S67.01XA", "S67.02XA"]),
        ("S67.01Z", []),
    ],
)
def test_a_code_without_placeholder_or_seventh_character_finds_what_it_stands_for(typed: str, codes: list[str]) -> None:
    assert search_conditions(typed)[:3] == codes
    assert all(title_of(code) for code in codes)


@pytest.mark.parametrize("query", ["wheal", "weals", "welts on skin", "hives"])
def test_lay_words_of_the_skin(query: str) -> None:
    assert search_conditions(query)[0] == "L50.9"


@pytest.mark.parametrize("query", ["asdfgh", "XYZ99", "", "   ", "Q99.99"])
def test_what_is_nothing_finds_nothing(query: str) -> None:
    assert search_conditions(query) == []


def test_only_codes_that_exist_have_a_title() -> None:
    assert title_of("E11.9") == "Type 2 diabetes mellitus without complications"
    assert title_of("T14.8XXA").endswith("initial encounter")
    assert [title_of(code) for code in ("E14", "I21.99", "S72.001Z", "T14.8XXQ", "XX", "")] == [""] * 6
    assert normal_code("e11.9") == "E11.9" and normal_code("fever") == ""


def test_every_code_of_the_own_lists_exists() -> None:
    for file in ("condition_names_en.tsv", "condition_names_zh.tsv", "condition_parts_zh.tsv"):
        for line in own_lines(file):
            for code in line.split("\t")[-1].split("|"):
                assert title_of(code), (file, line)


def test_the_search_answers_with_codes_that_can_be_written() -> None:
    rows = search_codes("fracture of left femur")
    assert rows and all(row.title for row in rows)
    assert all(conditions().codes[row.code].billable for row in rows if row.code in conditions().codes)


def test_names_in_running_text() -> None:
    text = "He has copd and COPD, gout, type 2 diabetes mellitus; MS in the ms group. 患者高血压"
    found = {text[start:end]: row.code for start, end, row in find_names(text, ["condition"])}
    assert found == {
        "COPD": "J44.9", "gout": "M10.9", "type 2 diabetes mellitus": "E11.9", "MS": "G35", "高血压": "I10",
    }  # fmt: skip


def test_a_suggestion_is_less_certain_than_a_name() -> None:
    assert resolve("gout", "condition")[0].certainty == 1
    assert resolve("inflamed gouty toe", "condition")[0].certainty < 1


def test_the_command_answers_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"query": "心肌梗死"}\n{"query": "asdfgh"}\n', encoding="utf-8")
    call_command("find_codes", tmp_path / "in.jsonl", tmp_path / "out.jsonl", verbosity=0)
    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert answers[0]["codes"][0] == "I21.9" and answers[1] == {"codes": []}

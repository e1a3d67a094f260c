"""Vaccines by name and code, and never the disease for its vaccine."""

from __future__ import annotations

import pytest

from apps.terminology.data_files import own_lines
from apps.terminology.resolution import find_names, resolve


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("flu shot", "88"),
        ("Tdap", "115"),
        ("MMR", "03"),
        ("卡介苗", "19"),
        ("乙肝疫苗", "45"),
        ("pneumococcal polysaccharide PPV23", "33"),
        ("3", "03"),
        ("influenza", "88"),
    ],
)
def test_a_vaccine_is_known_by_its_names(text: str, code: str) -> None:
    assert [candidate.code for candidate in resolve(text, "vaccine")] == [code]


def test_a_disease_is_not_its_vaccine() -> None:
    text = "Influenza A positive, had his flu shot and Tdap. 流感患者，接种乙肝疫苗"
    found = [text[start:end] for start, end, _candidate in find_names(text, ["vaccine"])]
    assert found == ["flu shot", "Tdap", "乙肝疫苗"]
    assert resolve("xyzzy", "vaccine") == []


def test_every_name_leads_to_an_existing_code() -> None:
    codes = {line.split("\t")[0] for line in own_lines("vaccines.tsv")}
    assert len(codes) > 200
    assert {line.split("\t")[0] for line in own_lines("vaccine_names.tsv")} <= codes


def test_observations_are_not_looked_for_without_their_values() -> None:
    with pytest.raises(ValueError, match="values"):
        find_names("Sodium was discussed", ["observation"])

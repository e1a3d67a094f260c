"""A name means its substance and no other, in a list and in running text."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from apps.terminology.drugs import drug_names, ingredients_of_code
from apps.terminology.resolution import Candidate, find_names, resolve


def contents(text: str) -> list[tuple[str, ...]]:
    return [candidate.ingredients for candidate in resolve(text, "drug")]


@pytest.mark.parametrize(
    ("text", "ingredients"),
    [
        ("Toradol 30 mg", ("ketorolac",)),
        ("Bicillin L-A", ("penicillin g",)),
        ("co-trimoxazole 960 mg bd", ("sulfamethoxazole", "trimethoprim")),
        ("TMP-SMX", ("sulfamethoxazole", "trimethoprim")),
        ("HCTZ", ("hydrochlorothiazide",)),
        ("ASA", ("aspirin",)),
        ("MTX", ("methotrexate",)),
        ("paracetamol", ("acetaminophen",)),
        ("Salbutamol inhaler", ("albuterol",)),
        ("adrenaline", ("epinephrine",)),
        ("frusemide", ("furosemide",)),
        ("lisinopril/HCTZ 20/12.5", ("hydrochlorothiazide", "lisinopril")),
        ("metoprolol succinate ER 50 mg", ("metoprolol",)),
        ("isosorbide mononitrate", ("isosorbide mononitrate",)),
        ("青霉素", ("penicillin",)),
        ("盐酸二甲双胍缓释片 0.5g bid", ("metformin",)),
        ("阿莫西林克拉维酸钾片", ("amoxicillin", "clavulanate")),
        ("注射用头孢曲松钠", ("ceftriaxone",)),
    ],
)
def test_a_name_means_its_substance(text: str, ingredients: tuple[str, ...]) -> None:
    best = resolve(text, "drug")[0]
    assert best.ingredients == ingredients
    assert best.certainty == 1


@pytest.mark.parametrize(
    "names",
    [
        ("fentanyl", "oxycodone", "hydrocodone", "morphine"),
        ("hydrochlorothiazide", "furosemide"),
        ("enalapril", "ramipril", "lisinopril"),
        ("diazepam", "lorazepam"),
        ("cefazolin", "cephalexin", "cefuroxime"),
        ("spironolactone", "iron"),
        ("rasagiline", "mesalamine", "aspirin"),
        ("apomorphine", "morphine"),
    ],
)
def test_two_substances_are_never_one(names: tuple[str, ...]) -> None:
    assert [contents(name) for name in names] == [[(name,)] for name in names]


def test_no_ingredient_is_taken_for_another(shared_data: Path) -> None:
    with (shared_data / "terminology" / "drugs" / "rxnorm_ingredients.tsv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["tty"] == "IN"]
    assert len(rows) > 2000
    wrong = [
        row["name"]
        for row in rows
        for best in resolve(row["name"], "drug")[:1]
        if best.certainty == 1 and best.code and best.code != row["rxcui"]
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "name"), [("amoxicilin 500mg", "amoxicillin"), ("hydroxizine", "hydroxyzine"), ("metfromin", "metformin")]
)
def test_a_typing_error_is_a_suggestion_and_never_certain(text: str, name: str) -> None:
    found = resolve(text, "drug")
    assert name in [candidate.name for candidate in found]
    assert all(candidate.certainty < 1 for candidate in found)


@pytest.mark.parametrize("text", ["xyzzy", "Zyxomib 40 mg", "discharge home", "certain", ""])
def test_what_is_not_known_has_no_candidates(text: str) -> None:
    assert resolve(text, "drug") == []


def test_a_brand_with_different_contents_has_several_candidates() -> None:
    found = resolve("Motrin", "drug") + resolve("Tylenol", "drug")
    assert len({candidate.ingredients for candidate in found}) > 1
    assert sum(candidate.certainty for candidate in resolve("Tylenol", "drug")) <= 1.01


def found_in(text: str) -> list[str]:
    return [candidate.name for _start, _end, candidate in find_names(text, ["drug"])]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Seen today, one iron-deficient woman, water intake low, lead V3 normal.", []),
        ("Iron 325 mg daily.", ["iron"]),
        ("Soma cruz pain, a nice man, with ease", ["carisoprodol"]),
        ("Potassium 4.1, glucose 120 mg/dL, calcium 8.9", []),
        ("Potassium chloride 20 mEq po", ["potassium chloride"]),
        ("ASA 81, Lasix and Tylenol No. 3", ["aspirin", "furosemide", "acetaminophen / codeine"]),
        ("胰岛素抵抗，停用二甲双胍", ["metformin"]),
        ("患者情绪安定，降钙素原升高", []),
        ("安定 5mg 口服", ["diazepam"]),
        ("spironolactone", ["spironolactone"]),
    ],
)
def test_everyday_words_are_no_drugs_in_running_text(text: str, names: list[str]) -> None:
    assert found_in(text) == names


def test_the_words_matched_are_those_of_the_text() -> None:
    text = "Continue Co-Trimoxazole 960 mg."
    ((start, end, candidate),) = find_names(text, ["drug"])
    assert text[start:end] == candidate.matched == "Co-Trimoxazole"
    assert isinstance(candidate, Candidate)


def test_rxnorm_codes_of_salts_brands_and_products_lead_to_ingredients() -> None:
    names = drug_names()
    assert [part.name for part in ingredients_of_code(names.by_name["warfarin"].rxcui)] == ["warfarin"]
    assert [part.name for part in ingredients_of_code("2053286")] == ["3-iodobenzylguanidine"]
    assert ingredients_of_code("999999999") == () == ingredients_of_code("")


@pytest.mark.parametrize(
    ("name", "ingredients"),
    [
        ("安痛定", {"aminopyrine", "antipyrine", "barbital"}),
        ("散利痛", {"acetaminophen", "caffeine", "propyphenazone"}),
        ("屈螺酮炔雌醇", {"drospirenone", "ethinyl estradiol"}),
        ("酮咯酸氨丁三醇", {"ketorolac"}),
        ("替莫唑胺胶囊 100mg", {"temozolomide"}),
        ("注射用头孢美唑钠", {"cefmetazole"}),
        ("乌帕替尼缓释片", {"upadacitinib"}),
        ("人血白蛋白", {"albumin human"}),
    ],
)
def test_chinese_hospital_names(name: str, ingredients: set[str]) -> None:
    assert set(resolve(name, "drug")[0].ingredients) == ingredients


@pytest.mark.parametrize("text", ["凝血酶原时间 12 s", "白蛋白 35 g/L", "γ-干扰素释放试验阳性", "胰酶升高"])
def test_laboratory_words_are_no_drugs(text: str) -> None:
    assert find_names(text, ["drug"]) == []

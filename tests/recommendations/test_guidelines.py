"""The rules' kernel: what is unknown stays unknown, what forbids wins, a broken rule stops no other."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from fhir.resources.bundle import Bundle
from hypothesis import given, settings
from hypothesis import strategies as some

from apps.recommendations.catalogue import BUNDLED
from apps.recommendations.guidelines import files
from apps.recommendations.guidelines.expressions import InvalidExpression, evaluate, holds
from apps.recommendations.guidelines.plain import MAX_GRADE, grade
from apps.recommendations.guidelines.rule_engine import (
    CircularPrerequisites,
    Contraindication,
    Evidence,
    Item,
    Rule,
    decide,
    topological_order,
)
from apps.recommendations.management.commands.train_ranker import bundled

CATALOGUE: dict[str, list[dict[str, Any]]] = json.loads(BUNDLED.read_text())
FILM = Item("film", "imaging")
OLD = Rule("old", 1, "film", "age > 50", "A guideline")


def test_what_is_not_known_holds_for_nobody() -> None:
    assert holds("age > 50", {"age": 51}) is True
    assert holds("age > 50", {"age": 50}) is False
    assert holds("age > 50", {}) is None
    assert holds("age < 5", {}) is None
    assert holds("smoker", {"smoker": False}) is False
    assert not decide({}, [OLD], {"film": FILM}).decisions


@pytest.mark.parametrize("text", ["age >", "", "age + ", "x" * 3000, "((((", "age.where(", "'a", "age"])
def test_an_expression_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidExpression):
        holds(text, {"age": 3})


@settings(max_examples=60, deadline=None)
@given(some.text(max_size=60))
def test_no_text_breaks_more_than_its_own_rule(text: str) -> None:
    with contextlib.suppress(InvalidExpression):
        assert isinstance(evaluate(text, {"age": 3, "problems": ["I10"]}), list)


def test_what_forbids_wins() -> None:
    pregnant = Contraindication("pregnant", {"en": "Pregnancy", "zh-hans": "妊娠"})
    item = Item("film", "imaging", (pregnant,))
    allowed = decide({"age": 60}, [OLD], {"film": item}).decisions[0]
    assert allowed.proposed and allowed.grounds[0].rule is OLD
    held = decide({"age": 60, "pregnant": True}, [OLD], {"film": item}).decisions[0]
    assert not held.proposed and held.held_back == [{"en": "Pregnancy", "zh-hans": "妊娠"}]


def test_of_two_rules_that_disagree_the_one_against_wins() -> None:
    against = Rule("against", 1, "film", "age > 80", "Another guideline", effect="avoid")
    rules = [OLD, against]
    assert decide({"age": 70}, rules, {"film": FILM}).decisions[0].proposed
    decision = decide({"age": 85}, rules, {"film": FILM}).decisions[0]
    assert not decision.proposed and "Another guideline" in decision.held_back[0]["en"]


def test_a_broken_rule_is_told_and_stops_no_other() -> None:
    broken = Rule("broken", 1, "film", "age.nothing(", "x")
    verdict = decide({"age": 60}, [broken, OLD], {"film": FILM})
    assert [code for code, _why in verdict.broken] == ["broken"]
    assert verdict.decisions[0].proposed


def test_a_contraindication_that_cannot_be_asked_holds_back() -> None:
    item = Item("film", "imaging", (Contraindication("age.nothing(", {"en": "x", "zh-hans": "x"}),))
    decision = decide({"age": 60}, [OLD], {"film": item}).decisions[0]
    assert not decision.proposed and "cannot be checked" in decision.held_back[0]["en"]


def test_intervals_and_order() -> None:
    again = Rule("again", 1, "film", "age > 50", "x", repeat_days=365)
    items = {"film": FILM}
    assert decide({"age": 60}, [again], items, {"film": 400}).decisions
    assert not decide({"age": 60}, [again], items, {"film": 100}).decisions
    assert not decide({"age": 60}, [OLD], items, {"film": 4000}).decisions  # once
    later = {"film": Item("film", "imaging", after=("visit",)), "visit": Item("visit", "appointment")}
    assert not decide({"age": 60}, [OLD], later).decisions[0].proposed
    assert decide({"age": 60}, [OLD], later, {"visit": 3}).decisions[0].proposed
    assert topological_order(later.values()) == ["visit", "film"]


def test_items_that_wait_for_each_other_are_named() -> None:
    with pytest.raises(CircularPrerequisites, match=r"a → b|b → a"):
        topological_order([Item("a", "imaging", after=("b",)), Item("b", "imaging", after=("a",))])


def test_a_rule_shows_the_facts_it_went_by() -> None:
    rule = Rule("old", 1, "film", "age > 50", "x", because=(Evidence({"en": "Age"}, "age", "a"),))
    fact = decide({"age": 60}, [rule], {"film": FILM}).decisions[0].grounds[0].facts[0]
    assert (fact.title, fact.values, fact.unit) == ({"en": "Age"}, ["60"], "a")


@pytest.mark.parametrize("rule", CATALOGUE["rules"], ids=lambda rule: rule["code"])
def test_each_rule_on_its_own_example_patients(rule: dict[str, Any]) -> None:
    assert {one["holds"] for one in rule["examples"]} == {True, False}
    assert rule["citation"] and rule["url"].startswith("https://")
    for one in rule["examples"]:
        assert bool(holds(rule["condition"], one["facts"])) == one["holds"], one["facts"]


def test_every_text_for_patients_can_be_read_and_is_there_in_both_languages() -> None:
    for item in CATALOGUE["items"]:
        for part in ("title", "patient_text", "what_to_do"):
            assert set(item[part]) == {"en", "zh-hans"} and all(item[part].values()), item["code"]
        if not item["clinicians_only"]:
            assert grade(f"{item['patient_text']['en']} {item['what_to_do']['en']}") <= MAX_GRADE, item["code"]


def test_treatment_is_for_clinicians_only() -> None:
    assert all(item["clinicians_only"] for item in CATALOGUE["items"] if item["kind"] == "treatment")


def test_grades_agree_with_the_formula() -> None:
    # 10 words, 1 sentence, 18 syllables
    tomorrow = "The doctor will examine you tomorrow morning at the hospital."
    assert grade(tomorrow) == pytest.approx(0.39 * 10 + 11.8 * 18 / 10 - 15.59)
    assert grade("The cat sat on the mat.") == 0
    hard = "Pharmacological prophylaxis necessitates individualised anticoagulation considerations."
    assert grade(hard) > 12 > grade("We advise an X-ray of the chest.")
    assert grade("") == 0


def test_a_bundle_is_read_as_it_was_written() -> None:
    bundle = files.as_bundle(CATALOGUE["items"], CATALOGUE["rules"])
    Bundle.model_validate(bundle)
    read = files.read_catalogue(json.dumps(bundle).encode())
    items = [{**one, "codings": one["codings"]} for one in read["items"]]
    assert {one["code"] for one in items} == {one["code"] for one in CATALOGUE["items"]}
    by_code = {one["code"]: one for one in items}
    for item in CATALOGUE["items"]:
        again = by_code[item["code"]]
        assert all(again[part] == item[part] for part in ("title", "patient_text", "what_to_do", "kind", "after"))
        assert again["contraindications"] == item["contraindications"]
    assert [one["condition"] for one in read["rules"]] == [one["condition"] for one in CATALOGUE["rules"]]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"{", "JSON"),
        (b'{"resourceType": "Patient"}', "neither"),
        (b"code,kind\n", "columns are missing"),
        (b"code,kind,title_en,title_zh,text_en,text_zh,todo_en,todo_zh\nx,nothing,a,b,c,d,e,f\n", "kind"),
        (b"code,kind,title_en,title_zh,text_en,text_zh,todo_en,todo_zh\nx y,imaging,a,b,c,d,e,f\n", "code"),
        (b"code,kind,title_en,title_zh,text_en,text_zh,todo_en,todo_zh\nxy,imaging,,b,c,d,e,f\n", "row 2"),
        (b'{"resourceType": "PlanDefinition", "status": "active"}', "resource 1"),
        (b" " * (files.MAX_BYTES + 1), "MiB"),
    ],
)
def test_a_file_that_is_no_catalogue_says_why(content: bytes, why: str) -> None:
    with pytest.raises(files.InvalidCatalogueFile, match=why):
        files.read_catalogue(content)


def test_the_bundled_catalogue_has_no_circle() -> None:
    _rules, items = bundled()
    assert set(topological_order(items.values())) == set(items)

"""What a confirmed mention writes into the record: the note's own words, and no code of something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from apps.accounts.models import User
from apps.notes.models import Concept, Note
from apps.notes.nlp.reader import read
from apps.notes.nlp.record import record_of
from apps.notes.note_extraction import confirm
from apps.records.models import Case, Observation, Statement
from apps.records.observations import ValueQuestion
from apps.records.problem_list import add_statement
from apps.records.statement_entry import OrderQuestion
from tests.case_factories import extracted, written
from tests.factories import browser_of

pytestmark = pytest.mark.usefixtures("words_alone")


def concepts_of(note: Note) -> list[Concept]:
    return list(Concept.objects.filter(reading__note=note).select_related("reading__note__case__patient"))


def record(case: Case, doctor: User, text: str) -> list[tuple[str, ...]]:
    """What the record holds after every line of the note was confirmed: kind, words, status and the details given."""
    note = extracted(case, doctor, text)
    for concept in concepts_of(note):
        confirm(concept, actor=doctor, override="confirmed in a test")
    rows = [
        (
            row.kind,
            row.text,
            row.status,
            *(row.details[name] for name in NAMED if row.details.get(name, "") not in UNSAID),
        )
        for row in Statement.objects.filter(case=case)
    ]
    return sorted(rows)


NAMED = ("dose", "route", "frequency", "reaction", "no_known", "onset", "ended_as_stated", "certainty")
UNSAID = ("", "confirmed")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Fentanyl 50 mcg IV given.", [("medication", "Fentanyl", "active", "50 ug", "intravenous")]),
        ("Takes Percocet.", [("medication", "Percocet", "active")]),
        (
            "Enalapril 5 mg daily; hydrochlorothiazide 25 mg daily.",
            [
                ("medication", "Enalapril", "active", "5 mg", "daily"),
                ("medication", "hydrochlorothiazide", "active", "25 mg", "daily"),
            ],
        ),
        (
            "She is allergic to amoxicillin and ibuprofen.",
            [("allergy", "amoxicillin", "active"), ("allergy", "ibuprofen", "active")],
        ),
        ("青霉素过敏。", [("allergy", "青霉素", "active")]),
        (
            "否认药物过敏史，否认结核病史。",
            [("allergy", "否认药物过敏史，否认结核病史。", "active", "drug")],
        ),
        (
            "Allergic to penicillin (anaphylaxis). NKDA otherwise.",
            [("allergy", "penicillin", "active", "anaphylaxis")],
        ),
        ("Intolerant of codeine (vomiting).", [("allergy", "codeine", "active", "vomiting")]),
        ("Anaphylaxis after ceftriaxone in 2019.", [("allergy", "ceftriaxone", "active", "anaphylaxis")]),
        ("Not allergic to penicillin.", []),
        ("Mother is allergic to penicillin.", []),
        (
            "Hold lisinopril. Discontinue ibuprofen 600 mg q6h.",
            [
                ("medication", "ibuprofen", "stopped", "600 mg", "every 6 hours"),
                ("medication", "lisinopril", "on-hold"),
            ],
        ),
        ("Pt no longer on warfarin.", [("medication", "warfarin", "stopped")]),
        (
            "If he develops a fever, start amoxicillin 500 mg po tid.",
            [("medication", "amoxicillin", "conditional", "500 mg", "oral", "three times daily")],
        ),
        ("History of MI in 2009.", [("problem", "MI", "resolved", "2009")]),
        ("Stopped amiodarone last month.", [("medication", "amiodarone", "stopped", "last month")]),
        ("3月前停用二甲双胍。", [("medication", "二甲双胍", "stopped", "3月前")]),
        ("Penicillin allergy.", [("allergy", "Penicillin", "active")]),
        ("Possible penicillin allergy.", [("allergy", "penicillin", "active", "unconfirmed")]),
        ("可疑青霉素过敏。", [("allergy", "青霉素", "active", "unconfirmed")]),
        ("Discharge to home in stable condition.", []),
        ("Allergies reviewed.", []),
        ("No pneumonia. Possible sepsis.", []),
    ],
)
def test_the_record_gets_the_notes_own_words(text: str, right: list[tuple[str, ...]], case: Case, doctor: User) -> None:
    assert record(case, doctor, text) == sorted(right)


@pytest.mark.parametrize(
    "text", ["History of MI in 2009.", "Stopped amiodarone last month.", "Pt no longer on warfarin."]
)
def test_a_day_of_end_that_nobody_said_stays_unknown(case: Case, doctor: User, text: str) -> None:
    record(case, doctor, text)
    row = Statement.objects.get()
    assert row.status in ("stopped", "resolved") and row.ended is None


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("Warfarin was discontinued in March 2020.", "in March 2020"),
        ("Last week metformin was stopped.", "Last week"),
        ("Started digoxin in 2015, stopped 3 weeks ago.", "3 weeks ago"),
        ("D/C ibuprofen 2 days ago.", "2 days ago"),
        ("Discontinued lisinopril on 3/4/2020 due to cough.", "on 3/4/2020"),
        ("She is no longer on warfarin, which she took for 2 years.", ""),
        ("Stopped aspirin and started clopidogrel in 2019.", ""),
        ("In May 2019, warfarin was stopped.", "In May 2019"),
        ("She discontinued Sinemet 5 days prior to 5/28/96.", "5 days prior to 5/28/96"),
        ("She stopped her Coumadin five days before the procedure.", "five days before the procedure"),
        ("She developed leukopenia in 9/93, and she was switched from Cytoxan to Imuran.", ""),
        ("He had a depression in 1999 and was on Prozac for a while, but this was then stopped.", ""),
        ("已停用阿司匹林。", ""),
        ("华法林2019年5月停用。", "2019年5月"),
    ],
)
def test_the_time_of_stopping_is_kept_in_words(text: str, when: str) -> None:
    stopped = [row for row in read(text).mentions if row.details.get("status") == "stopped"]
    assert [row.details["ended_as_stated"] for row in stopped] == [when]


def test_confirming_writes_what_the_command_says(case: Case, doctor: User) -> None:
    """``read_notes`` and the review of a note follow the same reading."""
    for row in map(json.loads, (Path(__file__).parent / "record_cases.jsonl").read_text().splitlines()):
        with transaction.atomic():  # each on an empty record
            record(case, doctor, row["text"])
            kept = kinds_codes_and_states()
            transaction.set_rollback(True)
        said = record_of(row["text"], read(row["text"]))
        codes = {(line["kind"], line.get("code", line.get("loinc", "")), line["status"]) for line in said}
        assert kept == codes, row["text"]


def kinds_codes_and_states() -> set[tuple[str, str, str]]:
    """What the record holds, in the words of ``read_notes``."""
    kinds = {"problem": "condition", "allergy": "allergy", "medication": "medication"}
    statements = Statement.objects.all()
    rows = {(kinds[row.kind], row.code, row.status) for row in statements if not row.no_known}
    rows |= {("observation", row.code, "final") for row in Observation.objects.all()}
    return rows | {
        ("no-known-drug-allergies" if row.no_known == "drug" else "no-known-allergies", "", "active")
        for row in statements
        if row.no_known
    }


def test_values_are_written_with_their_unit_and_comparator(case: Case, doctor: User) -> None:
    record(case, doctor, "Creatinine 180 umol/L. Hgb 72 g/L. CRP <0.5 mg/L. BP 120/80.")
    rows = {row.code: (round(row.value, 2), row.comparator) for row in Observation.objects.filter(case=case)}
    assert rows == {
        "2160-0": (2.04, ""),
        "718-7": (7.2, ""),
        "1988-5": (0.5, "<"),
        "8480-6": (120, ""),
        "8462-4": (80, ""),
    }


def review(doctor: User, note: Note, data: dict[str, Any], **headers: str) -> Any:
    url = reverse("notes:review", args=[note.case_id, note.pk])
    return browser_of(doctor).post(url, data, headers={"HX-Request": "true", **headers})


def test_the_page_shows_what_is_written_and_lets_it_be_changed(case: Case, doctor: User) -> None:
    note = written(case, doctor, "Fentanyl 50 mcg IV given.")
    (concept,) = concepts_of(note)
    page = browser_of(doctor).get(reverse("notes:note", args=[case.pk, note.pk])).content.decode()
    assert "Medication: Fentanyl, 50 ug, intravenous, Active, 4337" in " ".join(page.split())
    line = {"kind": "medication", "text": "Fentanyl", "code": "4337", "status": "active", "route": "intravenous"}
    typed = {f"{concept.pk}-0-{name}": value for name, value in (line | {"dose": "25 mcg"}).items()}
    answer = review(doctor, note, {"confirm": str(concept.pk), **typed})
    assert answer.status_code == 200 and "confirmed" in answer.content.decode()
    row = Statement.objects.get()
    assert (row.text, row.details["dose"], row.code, row.coded_by) == ("Fentanyl", "25 ug", "4337", doctor)


def test_the_banner_of_allergies_is_renewed_with_the_answer(case: Case, doctor: User) -> None:
    note = written(case, doctor, "Allergies: penicillin (anaphylaxis).")
    (concept,) = concepts_of(note)
    page = browser_of(doctor).get(reverse("notes:note", args=[case.pk, note.pk])).content.decode()
    assert page.count('id="allergies"') == 1 and "hx-swap-oob" not in page and "ask the patient" in page
    typed = {f"{concept.pk}-0-kind": "allergy", f"{concept.pk}-0-text": "penicillin"}
    answer = " ".join(review(doctor, note, {"confirm": str(concept.pk), **typed}).content.decode().split())
    banner = answer[answer.index('id="allergies" hx-swap-oob="true"') :]
    assert "penicillin</span>" in banner and "ask the patient" not in banner


@pytest.mark.parametrize(
    "text", ["HISTORY: Allergies: penicillin (rash).", "Possible penicillin allergy.", "过敏史：青霉素。"]
)
def test_the_word_allergy_is_no_problem_of_its_own(case: Case, doctor: User, text: str) -> None:
    note = written(case, doctor, text)
    page = browser_of(doctor).get(reverse("notes:note", args=[case.pk, note.pk])).content.decode()
    assert "Will be written:" in page and "Writes nothing into the record." not in page


def test_an_error_keeps_the_form_and_writes_nothing(case: Case, doctor: User) -> None:
    note = written(case, doctor, "Fentanyl 50 mcg IV given. Takes aspirin 81 mg.")
    first, second = concepts_of(note)
    typed = {
        f"{first.pk}-0-kind": "medication", f"{first.pk}-0-text": "Fentanyl", f"{first.pk}-0-dose": "50",
        f"{second.pk}-0-kind": "medication", f"{second.pk}-0-text": "aspirin, enteric-coated",
    }  # fmt: skip
    answer = review(doctor, note, {"confirm": str(first.pk), **typed})
    page = answer.content.decode()
    assert answer.status_code == 422 and "has no unit" in page
    assert 'value="50"' in page and 'value="aspirin, enteric-coated"' in page
    assert not Statement.objects.exists()


def test_selected_lines_are_confirmed_together(case: Case, doctor: User) -> None:
    note = written(case, doctor, "Takes metformin 500 mg bid. Takes amlodipine 5 mg daily. Takes digoxin.")
    concepts = concepts_of(note)
    chosen = [str(row.pk) for row in concepts[:2]]
    typed = {
        f"{row.pk}-0-{name}": value
        for row in concepts
        for name, value in (("kind", "medication"), ("text", row.details["title"]["en"]))
    }
    answer = review(doctor, note, {"confirm": "selected", "select": chosen, **typed})
    assert answer.status_code == 200
    assert Statement.objects.count() == 2 and Concept.objects.filter(verdict="confirmed").count() == 2
    answer = review(doctor, note, {"reject": "selected", "select": [str(concepts[2].pk)]})
    assert Concept.objects.filter(verdict="rejected").count() == 1 and Statement.objects.count() == 2


def test_a_confirmed_drug_is_checked_first(case: Case, doctor: User) -> None:
    add_statement(case, "allergy", text="penicillin", reaction="anaphylaxis", actor=doctor)
    note = written(case, doctor, "Start amoxicillin 500 mg po tid.")
    (concept,) = concepts_of(note)
    with pytest.raises(OrderQuestion):
        confirm(concept, actor=doctor)
    concept.refresh_from_db()
    assert concept.verdict == "" and not Statement.objects.filter(kind="medication").exists()
    typed = {f"{concept.pk}-0-kind": "medication", f"{concept.pk}-0-text": "amoxicillin"}
    answer = review(doctor, note, {"confirm": str(concept.pk), **typed})
    assert answer.status_code == 422 and "Record anyway" in answer.content.decode()
    answer = review(doctor, note, {"confirm": str(concept.pk), f"{concept.pk}-override": "Desensitised", **typed})
    assert answer.status_code == 200
    assert Statement.objects.get(kind="medication").details["override"] == "Desensitised"


def test_an_ambiguous_value_is_asked_about(case: Case, doctor: User) -> None:
    note = written(case, doctor, "Weight 165 kg.")
    (concept,) = concepts_of(note)
    typed = {
        f"{concept.pk}-0-{name}": value for name, value in (("code", "9187-6"), ("value", "1,500"), ("unit", "mL"))
    }
    answer = review(doctor, note, {"confirm": str(concept.pk), **typed})
    page = answer.content.decode()
    assert answer.status_code == 422 and "Which value is meant?" in page and not Observation.objects.exists()
    answer = review(doctor, note, {"confirm": str(concept.pk), f"{concept.pk}-chosen": "1500.0", **typed})
    assert answer.status_code == 200 and Observation.objects.get().value == 1500


def test_a_weight_without_unit_is_asked_about(case: Case, doctor: User) -> None:
    note = written(case, doctor, "Weight 165.")
    (concept,) = concepts_of(note)
    with pytest.raises(ValueQuestion) as question:
        confirm(concept, actor=doctor)
    assert [round(choice.value, 1) for choice in question.value.choices] == [165, 74.8]
    concept.refresh_from_db()
    assert concept.verdict == "" and not Observation.objects.exists()


def test_a_session_that_ended_leaves_the_form_alone(case: Case, doctor: User) -> None:
    note = written(case, doctor, "Takes aspirin.")
    client = browser_of(doctor)
    client.logout()
    answer = client.post(reverse("notes:review", args=[case.pk, note.pk]), {}, headers={"HX-Request": "true"})
    assert answer.status_code == 401 and answer["HX-Retarget"] == "#form-message"
    assert "what you typed is still here" in " ".join(answer.content.decode().split())
    plain = client.post(reverse("notes:review", args=[case.pk, note.pk]), {})
    assert plain.status_code == 302


def test_the_review_is_in_chinese_too(case: Case, doctor: User) -> None:
    note = written(case, doctor, "芬太尼50微克静脉注射。对青霉素过敏。")
    client = browser_of(doctor)
    client.cookies["django_language"] = "zh-hans"
    page = " ".join(client.get(reverse("notes:note", args=[case.pk, note.pk])).content.decode().split())
    assert "将写入：" in page and "确认所选" in page and "青霉素" in page
    assert "静脉给药" in page and "intravenous" not in page


def test_words_of_the_dosage_are_in_the_language_of_the_page(case: Case, doctor: User) -> None:
    note = written(case, doctor, "口服氨氯地平5mg每日一次。")
    (concept,) = concepts_of(note)
    client = browser_of(doctor)
    client.cookies["django_language"] = "zh-hans"
    url = reverse("notes:note", args=[case.pk, note.pk])
    page = client.get(url).content.decode()
    assert 'value="每日一次"' in page and 'value="口服"' in page and "daily" not in page
    line = {"kind": "medication", "text": "氨氯地平", "dose": "5 mg", "route": "口服", "frequency": "每日一次"}
    typed = {f"{concept.pk}-0-{name}": value for name, value in line.items()}
    client.post(reverse("notes:review", args=[case.pk, note.pk]), {"confirm": str(concept.pk), **typed})
    row = Statement.objects.get()
    assert (row.details["route"], row.details["frequency"]) == ("oral", "daily")
    page = client.get(reverse("cases:overview", args=[case.pk])).content.decode()
    assert "5 mg, 口服, 每日一次" in page

"""What a confirmed mention writes into the record: the note's own words, and no code of something else."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.notes.models import Concept
from apps.notes.nlp.reader import read
from apps.notes.note_extraction import confirm
from apps.records.models import Case, Statement, StatementStatus
from apps.terminology.lexicon import concepts
from tests.case_factories import written
from tests.factories import browser_of

pytestmark = pytest.mark.usefixtures("words_alone")


def record(case: Case, doctor: User, text: str) -> list[tuple[str, str, str, str]]:
    """(kind, words, code, status) of everything in the record after every line of the note was confirmed."""
    note = written(case, doctor, text)
    for concept in Concept.objects.filter(reading__note=note).select_related("reading__note__case__patient"):
        confirm(concept, actor=doctor)
    rows = Statement.objects.filter(case=case)
    return sorted((row.kind, row.details["text"], row.code, row.status) for row in rows)


def medication(words: str, code: str) -> tuple[str, str, str, str]:
    return ("medication", words, code, "active")


def allergy(words: str, code: str) -> tuple[str, str, str, str]:
    return ("allergy", words, code, "active")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Fentanyl 50 mcg IV given.", [medication("Fentanyl", "fentanyl")]),
        ("Takes Percocet.", [medication("Percocet", "")]),
        (
            "Enalapril 5 mg daily; hydrochlorothiazide 25 mg daily.",
            [medication("Enalapril", "enalapril"), medication("hydrochlorothiazide", "hydrochlorothiazide")],
        ),
        (
            "She is allergic to amoxicillin and ibuprofen.",
            [allergy("amoxicillin", "amoxicillin"), allergy("ibuprofen", "ibuprofen")],
        ),
        ("青霉素过敏。", [allergy("青霉素", "penicillin")]),
        ("否认药物过敏史，否认结核病史。", []),
        ("否认青霉素过敏史。", []),
        ("Allergic to penicillin (anaphylaxis). NKDA otherwise.", [allergy("penicillin", "penicillin")]),
        (
            "Intolerant of codeine (vomiting).",
            [allergy("codeine", "codeine")],
        ),
        ("Anaphylaxis after ceftriaxone in 2019.", [allergy("ceftriaxone", "ceftriaxone")]),
        (
            "Penicillin allergy. Takes amlodipine 5 mg.",
            [allergy("Penicillin", "penicillin"), medication("amlodipine", "amlodipine")],
        ),
        (
            "Allergic to penicillin but takes amlodipine.",
            [allergy("penicillin", "penicillin"), medication("amlodipine", "amlodipine")],
        ),
        (
            "ALLERGIES: Penicillin, codeine.\nMEDICATIONS: aspirin.",
            [allergy("Penicillin", "penicillin"), allergy("codeine", "codeine"), medication("aspirin", "aspirin")],
        ),
        ("ALLERGIES: NKDA. Takes aspirin.", [medication("aspirin", "aspirin")]),
        ("No known allergies to penicillin, aspirin, ibuprofen, codeine or morphine.", []),
        ("Not allergic to penicillin.", []),
        ("Mother is allergic to penicillin.", []),
        ("Hold lisinopril. Discontinue ibuprofen 600 mg q6h.", []),
        ("Pt no longer on warfarin.", []),
        ("If he develops a fever, start amoxicillin 500 mg po tid.", []),
        ("Rheumatoid arthritis.", [("problem", "Rheumatoid arthritis", "", "active")]),
        (
            "Emphysema and hypertension.",
            [("problem", "Emphysema", "", "active"), ("problem", "hypertension", "I10", "active")],
        ),
        ("History of MI.", [("problem", "MI", "", "resolved")]),
        ("Pneumonia.", [("problem", "Pneumonia", "J18.9", "active")]),
        ("双肺肺气肿，高血压。", [("problem", "肺气肿", "", "active"), ("problem", "高血压", "I10", "active")]),
        ("Allergies reviewed.", []),
    ],
)
def test_the_record_gets_the_notes_own_words(
    text: str, right: list[tuple[str, str, str, str]], case: Case, doctor: User
) -> None:
    assert record(case, doctor, text) == sorted(right)


def test_the_dose_stays_as_written(case: Case, doctor: User) -> None:
    record(case, doctor, "MEDICATIONS: furosemide 40 mg po twice daily.")
    details = Statement.objects.get(case=case).details
    assert (details["text"], details["dose"], details["route"], details["schedule"]) == (
        "furosemide", "40 mg", "oral", "twice daily",
    )  # fmt: skip


def test_what_is_confirmed_is_what_the_page_shows(case: Case, doctor: User) -> None:
    note = written(case, doctor, "Allergic to Percocet. Emphysema.")
    page = browser_of(doctor).get(reverse("notes:note", args=[case.pk, note.pk])).content.decode()
    listed = " ".join(page[page.index("Extracted from the note") :].split())
    assert '<span class="font-medium">Percocet</span> <span class="quiet">Allergy' in listed
    assert '<span class="font-medium">Emphysema</span>' in listed and "J44.9" not in listed


def test_every_drug_of_the_lexicon_is_one_drug() -> None:
    drugs = [concept for concept in concepts().values() if concept.kind == "drug"]
    names = [term for drug in drugs for terms in drug.terms.values() for term in terms if term]
    assert len(names) == len(set(names)) and len(drugs) > 70
    codes = {drug.code for drug in drugs}
    for drug in drugs:  # another drug's name among a drug's terms would be a merge
        assert not (codes - {drug.code}) & {term for terms in drug.terms.values() for term in terms}, drug.code


def test_a_code_stands_only_for_names_of_its_own() -> None:
    known = concepts()
    assert known["arthritis"].denoted_by("Arthritis") and not known["arthritis"].denoted_by("rheumatoid  arthritis")
    assert known["copd"].denoted_by("慢阻肺") and not known["copd"].denoted_by("肺气肿")
    assert read("Rheumatoid arthritis.").mentions[0].details["code"] == "M06.9", "it is known by its own name"
    assert not [term for concept in known.values() for terms in concept.terms.values() for term in terms if "~" in term]


def test_a_problem_of_the_past_is_not_an_active_one(case: Case, doctor: User) -> None:
    record(case, doctor, "Previous stroke.")
    assert [row.status for row in Statement.objects.filter(case=case)] == [StatementStatus.RESOLVED]

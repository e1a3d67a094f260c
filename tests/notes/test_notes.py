from __future__ import annotations

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.inference.jobs import analyse
from apps.inference.routing import route
from apps.jobs.errors import UserError
from apps.jobs.models import State
from apps.notes import editing, search
from apps.notes.models import (
    Concept,
    Discordance,
    Draft,
    Note,
    NoteExtraction,
    NoteToken,
    SpecialtyExplanation,
    Summary,
)
from apps.notes.note_extraction import confirm, reject
from apps.notes.similar_cases import nearest
from apps.patients.consent import record_consent
from apps.patients.erasure import erase
from apps.patients.models import ConsentState, Purpose
from apps.protection import blobs, keyring
from apps.protection.records import sealed_models
from apps.records.conflicts import EditConflict
from apps.records.models import Case, Statement
from tests.case_factories import measured, work, written
from tests.factories import browser_of

pytestmark = pytest.mark.usefixtures("words_alone", "packages")


def test_two_doctors_at_once_lose_nothing(case: Case, doctor: User, radiologist: User) -> None:
    note = editing.write(case, "Fever since Monday.", actor=doctor)
    editing.rewrite(note, "Fever since Monday, cough.", revision=1, actor=radiologist)
    with pytest.raises(EditConflict):
        editing.rewrite(note, "No fever since Monday.", revision=1, actor=doctor)
    note.refresh_from_db()
    assert note.text == "Fever since Monday, cough." and note.revision == 2
    assert Draft.objects.get(user=doctor).text == "No fever since Monday."
    page = browser_of(doctor).post(
        reverse("notes:note", args=[case.pk, note.pk]), {"text": "No fever.", "revision": "1"}
    )
    assert page.status_code == 409
    content = page.content.decode()
    assert "<del" in content and "<ins" in content and "No fever." in content
    assert editing.rewrite(note, "No fever.", revision=2, actor=doctor).revision == 3
    assert [row.text for row in note.revisions.all()] == [
        "No fever.",
        "Fever since Monday, cough.",
        "Fever since Monday.",
    ]
    assert not Draft.objects.filter(user=doctor).exists()


def test_saving_twice_makes_one_revision(case: Case, doctor: User) -> None:
    note = editing.write(case, "Stable.", actor=doctor)
    editing.rewrite(note, "Stable. Sleeps.", revision=1, actor=doctor)
    assert editing.rewrite(note, "Stable. Sleeps.", revision=1, actor=doctor).revision == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("  \n ", "note_empty"),
        ("\x00\x01\x02\x03PK\x05\x06" * 40, "note_binary"),
        ("\ufffd" * 50 + "fever", "note_binary"),
        ("fever " * 900_000, "note_too_long"),
    ],
)
def test_what_is_no_note_is_refused_with_a_reason(case: Case, doctor: User, text: str, code: str) -> None:
    with pytest.raises(UserError) as refusal:
        editing.write(case, text, actor=doctor)
    assert refusal.value.code == code and str(refusal.value)
    assert not Note.objects.exists()
    page = browser_of(doctor).post(reverse("notes:notes", args=[case.pk]), {"text": text[:50_000], "kind": "progress"})
    if code != "note_too_long":
        assert page.status_code == 422 and str(refusal.value) in page.content.decode().replace("&#x27;", "'")


def test_five_megabytes_are_refused_with_a_reason_and_stay_in_the_form(case: Case, doctor: User) -> None:
    page = browser_of(doctor).post(
        reverse("notes:notes", args=[case.pk]), {"text": "fever " * 900_000, "kind": "progress"}
    )
    assert page.status_code == 422 and "The note has 5,400,000 characters" in page.content.decode()
    assert page.content.decode().count("fever fever") > 100_000


def test_markup_and_odd_line_ends_stay_text(case: Case, doctor: User) -> None:
    note = editing.write(case, "<script>alert(1)</script>\r\nFever\rcafe\u0301 \x07", actor=doctor)
    assert note.text == "<script>alert(1)</script>\nFever\ncafé"
    page = browser_of(doctor).get(reverse("notes:note", args=[case.pk, note.pk])).content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


def test_a_long_note_is_kept_and_read(case: Case, doctor: User) -> None:
    note = written(case, doctor, "Patient denies fever. " * 13_000)
    reading = NoteExtraction.objects.get(note=note)
    assert reading.state == State.SUCCEEDED and reading.concepts.filter(negated=True).count() == 2000
    assert reading.found["more"] > 10_000


def test_without_a_worker_the_note_is_there_and_read_later(case: Case, doctor: User) -> None:
    note = editing.write(case, "Fever.", actor=doctor)
    assert NoteExtraction.objects.get(note=note).state == State.QUEUED
    page = browser_of(doctor).get(reverse("notes:note", args=[case.pk, note.pk])).content.decode()
    assert "The note has been saved and is being analysed" in page and "Fever." in page


def test_without_consent_no_model_reads(case: Case, doctor: User) -> None:
    record_consent(case.patient, Purpose.AI, ConsentState.WITHDRAWN, actor=doctor)
    case = Case.objects.get(pk=case.pk)
    note = editing.write(case, "Fever.", actor=doctor)
    assert not NoteExtraction.objects.exists() and search.find_notes(doctor, "fever") == [note]


def test_confirmed_with_one_click_it_is_in_the_record(case: Case, doctor: User) -> None:
    note = written(case, doctor)
    by_concept = {one.details["concept"]: one for one in Concept.objects.filter(reading__note=note)}
    assert confirm(by_concept["fever"], actor=doctor) and not confirm(by_concept["fever"], actor=doctor)
    assert confirm(by_concept["amoxicillin"], actor=doctor)
    assert confirm(by_concept["8310-5"], actor=doctor)
    assert confirm(by_concept["asthma"], actor=doctor), "confirmed, but somebody else's"
    kept = {(row.kind, row.text): row for row in Statement.objects.filter(case=case)}
    assert set(kept) == {("problem", "fever"), ("medication", "amoxicillin")}
    assert kept["problem", "fever"].code == "R50.9" and kept["medication", "amoxicillin"].code == "723"
    assert kept["medication", "amoxicillin"].details["dose"] == "500 mg"
    assert case.observations.get(code="8310-5").content["value"] == 38.9


def test_search_keeps_to_what_one_may_see(case: Case, doctor: User, stranger: User) -> None:
    note = editing.write(case, "Suspected Legionella infection; ward 7.", actor=doctor)
    assert search.find_notes(doctor, "infections legionella") == [note]
    assert search.find_notes(doctor, "legionella measles") == [] and search.find_notes(doctor, "") == []
    assert search.find_notes(stranger, "legionella") == []
    assert "Legionella" in search.snippet(note.text, "legionella")
    chinese = editing.write(case, "考虑病毒性肺炎。", actor=doctor)
    assert search.find_notes(doctor, "病毒性") == [chinese] and search.find_notes(doctor, "细菌性") == []


def test_the_blind_index_holds_no_word_and_follows_new_keys(case: Case, doctor: User, settings: object) -> None:
    note = editing.write(case, "Zilpzalp fever", actor=doctor)
    before = set(NoteToken.objects.values_list("token", flat=True))
    assert before and not any("zilp" in token.lower() for token in before)
    content = keyring.read(settings.KEYRING_FILE)  # type: ignore[attr-defined]
    keyring.replace(settings.KEYRING_FILE, keyring.add_key(content, "index", primary=True))  # type: ignore[attr-defined]
    keyring._from_file.cache_clear()  # it is looked at once a second
    try:
        search.reindex(lambda *_: None)
        assert search.find_notes(doctor, "zilpzalp") == [note]
        assert set(NoteToken.objects.values_list("token", flat=True)) > before
    finally:
        keyring.replace(settings.KEYRING_FILE, content)  # type: ignore[attr-defined]
        keyring._from_file.cache_clear()


def test_a_note_against_a_film_is_shown_until_somebody_settles_it(case: Case, doctor: User) -> None:
    analysis = route(case.studies.get().series.get(), urgent=True)[0]
    analyse(str(analysis.pk))
    note = written(case, doctor, "Lungs clear. There is no pneumonia.")
    row = Discordance.objects.get()
    assert row.concept.negated and row.finding.positive
    client = browser_of(doctor)
    assert "Note and model disagree" in client.get(reverse("portal:worklist")).content.decode()
    assert "the note denies Pneumonia" in client.get(reverse("cases:overview", args=[case.pk])).content.decode()
    client.post(reverse("notes:settle", args=[case.pk, row.pk]))
    assert "Note and model disagree" not in client.get(reverse("portal:worklist")).content.decode()
    other = written(case, doctor, "His mother had pneumonia. Pneumonia cannot be excluded. History of pneumonia.")
    assert not Discordance.objects.filter(concept__reading__note=other).exists()
    again = editing.write(case, "Clearly no pneumonia today.", actor=doctor)
    written(case, doctor, "x")
    concept = Concept.objects.get(reading__note=again, label="pneumonia")
    assert Discordance.objects.filter(concept=concept).exists()
    reject(concept, actor=doctor)
    assert not Discordance.objects.filter(concept=concept).exists()
    assert note.revision == 1


def test_the_summary_cites_its_sources(case: Case, doctor: User) -> None:
    note = written(case, doctor)
    summary = Summary.objects.get(case=case, state=State.SUCCEEDED)
    assert summary.content["how"] == "extractive" and summary.content["sentences"]
    for sentence in summary.content["sentences"]:
        source = sentence["sources"][0]
        assert note.text[source["start"] : source["end"]].strip() == sentence["text"]


def test_similar_cases_are_those_of_others_that_one_may_see(case: Case, doctor: User, stranger: User) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from apps.cases.services import open_case
    from apps.patients.identity import Identity, register

    def of(name: str, text: str) -> Case:
        patient = register(Identity(name, name=f"{name}^X"), care_teams=list(doctor.care_teams.all()), actor=doctor)
        other = open_case(patient, title=name, started_at=timezone.now() - timedelta(hours=9), actor=doctor)
        written(other, doctor, text)
        return other

    written(case, doctor, "Fever and productive cough, crackles at the right base.")
    alike = of("alike", "Productive cough and fever, crackles at the right base.")
    of("unlike", "Broken ankle after a fall from a ladder, swelling of the foot.")
    found = nearest(doctor, case)
    assert found[0].case == alike and "cough" in found[0].shared
    assert len(found) == 1, "the other one is too unlike"
    assert nearest(stranger, case) == []


def test_why_a_specialty_is_told_under_the_patients_key(case: Case, doctor: User) -> None:
    note = written(case, doctor, "Renal ultrasound shows a stone in the left kidney and hydronephrosis.")
    client = browser_of(doctor)
    answer = client.post(reverse("notes:explain-note", args=[case.pk, note.pk]))
    client.post(reverse("notes:explain-note", args=[case.pk, note.pk]))
    why = SpecialtyExplanation.objects.get()
    assert answer.url == reverse("notes:why", args=[case.pk, why.pk]) and why.key_holder == case.patient_id.hex
    work()
    page = client.get(answer.url).content.decode()
    assert "Words for and against" in page and "stone" in page


def test_what_models_said_is_hidden_once_consent_is_withdrawn(case: Case, doctor: User) -> None:
    analyse(str(route(case.studies.get().series.get(), urgent=True)[0].pk))
    note = written(case, doctor, "There is no pneumonia.")
    client = browser_of(doctor)
    url = reverse("notes:note", args=[case.pk, note.pk])
    assert 'said-negated" title' in client.get(url).content.decode()
    record_consent(case.patient, Purpose.AI, ConsentState.WITHDRAWN, actor=doctor)
    page = client.get(url).content.decode()
    assert 'said-negated" title' not in page and "the patient has not consented" in page
    assert "Note and model disagree" not in client.get(reverse("cases:list")).content.decode()
    assert "Note and model disagree" not in client.get(reverse("cases:overview", args=[case.pk])).content.decode()
    assert "AI finding</span>" not in client.get(reverse("cases:timeline", args=[case.pk])).content.decode()


def test_erasing_the_patient_leaves_nothing_of_the_case(case: Case, doctor: User, admin_user: User) -> None:
    written(case, doctor)
    measured(case, hours=8)
    work()
    blobs_before = [row.blob for row in NoteExtraction.objects.all()]
    assert blobs_before and all(blobs.exists(name) for name in blobs_before)
    erase(case.patient, actor=admin_user)
    for model in sealed_models():
        if model._meta.app_label == "cases":
            assert not model._base_manager.exists(), model
    assert not any(blobs.exists(name) for name in blobs_before)

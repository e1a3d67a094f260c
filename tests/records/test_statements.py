"""Statements: the words stay, codes are those that somebody chose or that are certain, drugs are checked first."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from apps.accounts.models import User
from apps.jobs.errors import UserError
from apps.records.dosage import parse_dose
from apps.records.models import Case, Statement, StatementKind, StatementStatus
from apps.records.observations import add
from apps.records.problem_list import add_statement, set_status
from apps.records.renal_function import newest_egfr
from apps.records.statement_entry import OrderQuestion, enter_statement, warnings_about
from apps.records.templatetags.records import SEVERITIES
from tests.factories import browser_of

MEDICATION, ALLERGY = StatementKind.MEDICATION, StatementKind.ALLERGY


def entered(case: Case, doctor: User, kind: str, text: str, **entry: str) -> Statement:
    return enter_statement(case, {"kind": kind, "text": text, **entry}, actor=doctor)


def test_the_words_are_kept_and_the_code_is_that_of_the_substance(case: Case, doctor: User) -> None:
    row = entered(case, doctor, MEDICATION, "Fentanyl", dose="50 mcg", route="intravenous")
    assert (row.text, row.details["dose"], row.details["unit"]) == ("Fentanyl", "50 ug", "ug")
    assert row.code and row.coded_by is None, "looked up, not chosen"
    for text in ("oxycodone", "hydrocodone", "morphine", "enalapril", "ramipril", "lisinopril"):
        other = enter_statement(case, {"kind": MEDICATION, "text": text}, actor=doctor, override="test")
        assert other.text == text and other.pk != row.pk
    codes = list(Statement.objects.values_list("pk", flat=True))
    assert len(codes) == 7
    assert len({row.code for row in Statement.objects.all()}) == 7, "two substances are never one"


def test_a_chosen_code_has_its_chooser(case: Case, doctor: User) -> None:
    row = entered(case, doctor, ALLERGY, "that white pill", code="7980", reaction="rash", severity="mild")
    assert (row.code, row.coded_by, row.text) == ("7980", doctor, "that white pill")
    assert row.remarks == ["rash", "Mild"]


def test_an_unknown_word_is_kept_without_a_code(case: Case, doctor: User) -> None:
    row = enter_statement(case, {"kind": MEDICATION, "text": "Zzyzxol forte"}, actor=doctor, override="as told")
    assert (row.text, row.code) == ("Zzyzxol forte", "")
    assert row.details["override"] == "as told" and "Zzyzxol" in row.details["warned"]


def test_another_dose_is_another_statement_and_the_same_one_is_not(case: Case, doctor: User) -> None:
    first = add_statement(case, MEDICATION, text="metoprolol", dose="25 mg", frequency="twice daily", actor=doctor)
    assert add_statement(case, MEDICATION, text="Metoprolol", dose="25 mg", actor=doctor) == first
    assert add_statement(case, MEDICATION, text="metoprolol", dose="50 mg", actor=doctor) != first


def test_stopping_changes_what_is_recorded(case: Case, doctor: User) -> None:
    first = add_statement(case, MEDICATION, text="ibuprofen", dose="600 mg", actor=doctor)
    again = add_statement(case, MEDICATION, text="ibuprofen", status=StatementStatus.STOPPED, actor=doctor)
    first.refresh_from_db()
    assert again == first and first.status == "stopped" and first.ended is None, "nobody said when"
    stopped = {"status": StatementStatus.STOPPED, "actor": doctor}
    other = add_statement(case, MEDICATION, text="warfarin", ended_as_stated="last month", **stopped)
    assert other.status == "stopped" and other.ended is None
    client = browser_of(doctor)
    page = " ".join(client.get(reverse("cases:overview", args=[case.pk])).content.decode().split())
    assert "Stopped last month<" in page
    assert set_status(other, StatementStatus.ACTIVE, actor=doctor)
    other.refresh_from_db()
    assert "ended_as_stated" not in other.details
    known = add_statement(case, MEDICATION, text="warfarin", ended=date(2024, 3, 1), **stopped)
    assert known == other and known.ended == date(2024, 3, 1)
    with pytest.raises(UserError) as refusal:
        set_status(other, StatementStatus.RESOLVED, actor=doctor)
    assert refusal.value.code == "statement_status"


def test_no_known_allergies_is_a_statement_and_ends_with_the_first_allergy(case: Case, doctor: User) -> None:
    none = enter_statement(case, {"kind": ALLERGY, "text": "", "no_known": "drug"}, actor=doctor)
    assert none.no_known == "drug" and none.text == "No known drug allergies" and none.code == ""
    page = browser_of(doctor).get(reverse("records:values", args=[case.pk])).content.decode()
    assert "No known drug allergies" in page
    entered(case, doctor, ALLERGY, "penicillin", reaction="anaphylaxis", severity="severe")
    none.refresh_from_db()
    assert none.status == "resolved"
    with pytest.raises(UserError) as refusal:
        entered(case, doctor, ALLERGY, "NKDA", no_known="drug")
    assert refusal.value.code == "allergies_recorded" and "penicillin" in str(refusal.value)
    page = browser_of(doctor).get(reverse("records:values", args=[case.pk])).content.decode()
    assert "penicillin (anaphylaxis, Severe)" in " ".join(page.split())


def test_a_drug_is_checked_before_it_is_recorded(case: Case, doctor: User) -> None:
    entered(case, doctor, ALLERGY, "penicillin", reaction="anaphylaxis")
    with pytest.raises(OrderQuestion) as question:
        entered(case, doctor, MEDICATION, "amoxicillin", dose="500 mg")
    assert {warning.kind for warning in question.value.warnings} & {"allergy", "class"}
    assert not Statement.objects.filter(kind=MEDICATION).exists()
    client, url = browser_of(doctor), reverse("records:state", args=[case.pk])
    form = {"kind": "medication", "text": "amoxicillin", "dose": "500 mg", "frequency": "three times daily"}
    answer = client.post(url, form)
    page = answer.content.decode()
    assert answer.status_code == 409 and "Record anyway" in page and 'value="three times daily"' in page
    assert client.post(url, {**form, "override": "  "}).status_code == 409
    assert client.post(url, {**form, "override": "Tolerated last year"}).status_code == 302
    row = Statement.objects.get(kind=MEDICATION)
    assert row.details["override"] == "Tolerated last year" and row.details["warned"]
    page = client.get(reverse("cases:overview", args=[case.pk])).content.decode()
    assert "Tolerated last year" in page


def test_a_drug_whose_words_say_nothing_is_checked_by_its_code(case: Case, doctor: User) -> None:
    entered(case, doctor, ALLERGY, "penicillin")
    with pytest.raises(OrderQuestion) as question:
        entered(case, doctor, MEDICATION, "that white capsule", code="723")
    assert "amoxicillin" in " ".join(warning.text.lower() for warning in question.value.warnings)


def test_a_creatinine_known_as_a_limit_is_no_number(case: Case, doctor: User) -> None:
    patient = case.patient
    patient.sex, patient.birth_date = "F", date(1990, 1, 1)
    patient.save()
    add(case, "2160-0", "5.0", "mg/dL", timezone.now() - timedelta(hours=3), actor=doctor)
    add(case, "2160-0", "<0.5", "mg/dL", timezone.now() - timedelta(hours=2), actor=doctor)
    assert newest_egfr(patient) is None, "neither 0.5 nor the older value"
    add(case, "2160-0", ">9.0", "mg/dL", timezone.now() - timedelta(hours=1), actor=doctor)
    bound = newest_egfr(patient)
    assert bound is not None and bound < 10


def test_pregnancy_and_renal_function_are_taken_into_account(case: Case, doctor: User) -> None:
    patient = case.patient
    patient.sex, patient.birth_date = "F", date(1990, 1, 1)
    patient.save()
    assert newest_egfr(patient) is None
    entered(case, doctor, "problem", "Z34.90 Pregnancy")
    add(case, "2160-0", "5.0", "mg/dL", timezone.now() - timedelta(hours=1), actor=doctor)
    assert newest_egfr(patient) == pytest.approx(11, abs=1)
    case = Case.objects.get(pk=case.pk)
    assert "pregnancy" in {row.kind for row in warnings_about(case, "isotretinoin")}
    assert "renal" in {row.kind for row in warnings_about(case, "metformin")}


def test_an_error_keeps_what_was_typed(case: Case, doctor: User) -> None:
    client, url = browser_of(doctor), reverse("records:state", args=[case.pk])
    for form, text in (
        ({"kind": "medication", "text": "warfarin", "dose": "5"}, "has no unit"),
        ({"kind": "medication", "text": "warfarin", "dose": "1,500 mg"}, "1500 / 1.5"),
        ({"kind": "problem", "text": "warfarin", "dose": "5 mg"}, "This belongs to: Medication."),
        ({"kind": "problem", "text": "warfarin", "code": "Z99.9ZZ"}, "does not exist"),
        ({"kind": "problem", "text": "warfarin", "status": "stopped"}, "cannot have this status"),
    ):
        answer = client.post(url, form)
        page = answer.content.decode()
        assert answer.status_code == 422 and text in page and 'value="warfarin"' in page, form
    assert client.post(url, {"kind": "problem", "text": "  "}).status_code == 422
    assert not Statement.objects.exists()


def test_a_session_that_ended_keeps_the_form(case: Case, doctor: User) -> None:
    client, url = browser_of(doctor), reverse("records:state", args=[case.pk])
    form = {"kind": "medication", "text": "warfarin", "dose": "5 mg"}
    client.logout()
    answer = client.post(url, form, headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert (answer["HX-Retarget"], answer["HX-Reselect"]) == ("#form-message", "#session-ended")
    client = browser_of(doctor)
    assert f'hx-post="{url}?kind=allergy"' in client.get(f"{url}?kind=allergy").content.decode()
    assert "csrfmiddlewaretoken" in client.get(reverse("records:form-token")).content.decode()
    answer = client.post(url, form, headers={"HX-Request": "true"})
    assert answer.status_code == 200 and answer["HX-Redirect"] == reverse("cases:overview", args=[case.pk])
    assert Statement.objects.get().text == "warfarin"


def test_the_page_shows_the_words_first_and_the_code_beside_them(case: Case, doctor: User) -> None:
    entered(case, doctor, MEDICATION, "Fentanyl patch", dose="25 ug/h")
    row = Statement.objects.get()
    client = browser_of(doctor)
    page = " ".join(client.get(reverse("cases:overview", args=[case.pk])).content.decode().split())
    assert page.index("Fentanyl patch</span>") < page.index(f'badge-outline">{row.code}<')
    client.post(reverse("records:set-statement", args=[case.pk, row.pk]), {"to": "on-hold"})
    row.refresh_from_db()
    assert row.status == "on-hold"
    page = client.get(reverse("cases:overview", args=[case.pk])).content.decode()
    assert "On hold" in page and "Reactivate" in page


def test_the_button_stops_today_and_says_nothing_about_the_end_of_a_problem(case: Case, doctor: User) -> None:
    drug = add_statement(case, MEDICATION, text="warfarin", actor=doctor)
    problem = add_statement(case, StatementKind.PROBLEM, text="pneumonia", actor=doctor)
    client = browser_of(doctor)
    for row, to in ((drug, "stopped"), (problem, "resolved")):
        client.post(reverse("records:set-statement", args=[case.pk, row.pk]), {"to": to})
        row.refresh_from_db()
    assert (drug.status, drug.ended) == ("stopped", timezone.localdate())
    assert (problem.status, problem.ended) == ("resolved", None)


@pytest.mark.parametrize(
    ("kind", "heading", "word", "absent"),
    [
        ("problem", "Add a problem", "Condition", "id_dose"),
        ("allergy", "Add an allergy", "Allergen", "id_dose"),
        ("medication", "Add a medication", "Drug", "id_severity"),
    ],
)
def test_the_form_is_of_the_kind_that_its_link_names(
    case: Case, doctor: User, kind: str, heading: str, word: str, absent: str
) -> None:
    client, url = browser_of(doctor), f"{reverse('records:state', args=[case.pk])}?kind={kind}"
    page = " ".join(client.get(url).content.decode().split())
    assert f">{heading}</h2>" in page and f'for="id_text">{word}</label>' in page
    assert f'<input type="hidden" name="kind" value="{kind}"' in page and absent not in page
    other = {"medication": "problem", "problem": "medication", "allergy": "problem"}[kind]
    client.post(url, {"text": "Zzyzx", "kind": other, "override": "as told"})
    assert Statement.objects.get().kind == kind


def test_a_correction_takes_the_place_of_what_was_wrong(case: Case, doctor: User) -> None:
    wrong = add_statement(
        case, MEDICATION, text="hydralazine", code="5470", dose="25 mg", route="oral", code_chosen=False, actor=doctor
    )
    client, url = browser_of(doctor), reverse("records:correct-statement", args=[case.pk, wrong.pk])
    overview = reverse("cases:overview", args=[case.pk])
    page = client.get(overview).content.decode()
    assert url in page and "Code looked up from the words" in page
    page = " ".join(client.get(url).content.decode().split())
    assert ">Correct a medication</h2>" in page and 'value="hydralazine"' in page and 'value="25 mg"' in page
    form = {"text": "hydroxyzine", "code": "5470", "dose": "25 mg", "route": "oral", "status": "active"}
    answer = client.post(url, form)
    assert answer.status_code == 422 and "that of another substance than hydroxyzine" in answer.content.decode()
    wrong.refresh_from_db()
    assert wrong.status == "active" and Statement.objects.count() == 1, "nothing changes before it is right"
    assert client.post(url, {**form, "code": "5553"}).status_code == 302
    wrong.refresh_from_db()
    right = Statement.objects.exclude(pk=wrong.pk).get()
    assert (wrong.status, wrong.text, wrong.details["dose"]) == ("error", "hydralazine", "25 mg")
    assert (right.status, right.text, right.code, right.coded_by) == ("active", "hydroxyzine", "5553", doctor)
    assert (right.details["dose"], right.details["route"]) == ("25 mg", "oral")
    page = client.get(overview).content.decode()
    assert right.corrects == wrong and f"Code confirmed by {doctor}" in " ".join(page.split())
    assert "before: “hydralazine” 25 mg, oral" in " ".join(page.split()) and page.count("hydralazine") == 1
    answer = client.post(url, {**form, "code": "5553"})
    assert answer.status_code == 422 and "marked as an error in the meantime" in answer.content.decode()


def test_a_correction_is_checked_and_changes_nothing_until_it_is_decided(case: Case, doctor: User) -> None:
    entered(case, doctor, ALLERGY, "penicillin", reaction="anaphylaxis")
    wrong = entered(case, doctor, MEDICATION, "amlodipine")
    client, url = browser_of(doctor), reverse("records:correct-statement", args=[case.pk, wrong.pk])
    form = {"text": "amoxicillin", "code": ""}
    assert client.post(url, form).status_code == 409
    wrong.refresh_from_db()
    assert wrong.status == "active"
    assert client.post(url, {**form, "override": "Desensitised"}).status_code == 302
    wrong.refresh_from_db()
    assert wrong.status == "error" and Statement.objects.get(kind=MEDICATION, status="active").text == "amoxicillin"


def test_a_code_of_another_substance_is_refused(case: Case, doctor: User) -> None:
    for kind, text, code in ((MEDICATION, "oxycodone", "7052"), (ALLERGY, "aspirin", "723")):
        with pytest.raises(UserError) as refusal:
            entered(case, doctor, kind, text, code=code)
        assert refusal.value.code == "code_contradicts"
    assert entered(case, doctor, MEDICATION, "Lipitor", code="83367").code == "83367", "the code of its ingredient"


def test_a_drug_added_by_its_link_is_checked(case: Case, doctor: User) -> None:
    entered(case, doctor, ALLERGY, "penicillin", reaction="anaphylaxis")
    url = f"{reverse('records:state', args=[case.pk])}?kind=medication"
    answer = browser_of(doctor).post(url, {"text": "Unasyn 3 g"})
    assert answer.status_code == 409 and "Record anyway" in answer.content.decode()
    assert not Statement.objects.exclude(kind=ALLERGY).exists()


@pytest.mark.parametrize(
    ("typed", "dose", "unit"),
    [
        ("50 mcg", "50 ug", "ug"),
        ("0,5 mg", "0.5 mg", "mg"),
        ("5mg", "5 mg", "mg"),
        ("2 puffs", "2 puffs", ""),
        ("one tablet", "one tablet", ""),
        ("5-10 mg", "5-10 mg", ""),
        ("", "", ""),
    ],
)
def test_doses(typed: str, dose: str, unit: str) -> None:
    assert parse_dose(typed) == (dose, unit)


def test_the_chinese_page_says_so_in_chinese(case: Case, doctor: User) -> None:
    enter_statement(case, {"kind": ALLERGY, "text": "青霉素", "reaction": "过敏性休克"}, actor=doctor)
    client = browser_of(doctor)
    client.cookies["django_language"] = "zh-hans"
    page = client.get(reverse("records:state", args=[case.pk])).content.decode()
    assert "青霉素 (过敏性休克)" in " ".join(page.split()) and "过敏史" in page
    answer = client.post(reverse("records:state", args=[case.pk]), {"kind": "medication", "text": "阿莫西林"})
    assert answer.status_code == 409 and "仍然记录" in answer.content.decode()


def test_a_severe_warning_reads_in_chinese_as_severity_not_as_a_laboratory_flag() -> None:
    with translation.override("zh-hans"):
        assert [str(SEVERITIES[name]) for name in ("high", "moderate", "low")] == ["高", "中", "低"]

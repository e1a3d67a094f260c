"""The pages of clinicians and administrators."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.accounts.models import AuditEntry, User
from apps.patients.models import Patient
from apps.recommendations.models import CareItem, GuidelineRule, Recommendation, RecommendationState
from apps.records.models import Case
from tests.factories import browser_of
from tests.recommendations.conftest import answered, problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("guidelines")]


@pytest.fixture
def rows(patient: Patient) -> dict[str, Recommendation]:
    return answered(patient)


def test_the_queue_shows_why_and_decides_many(rows: dict[str, Recommendation], doctor: User, nurse: User) -> None:
    client = browser_of(doctor)
    page = client.get(reverse("recommendations:queue"))
    assert "Guideline of screen-50" in page.content.decode() and "years" in page.content.decode()
    assert browser_of(nurse).get(reverse("recommendations:queue")).content.count(b'name="chosen"') == 0
    chosen = [f"{row.pk}:{row.revision}" for row in rows.values()]
    answer = client.post(reverse("recommendations:bulk"), {"chosen": chosen, "act": "approve"}, follow=True)
    assert "2 decided." in answer.content.decode()
    again = client.post(reverse("recommendations:bulk"), {"chosen": chosen, "act": "approve"}, follow=True)
    assert "Someone else has decided" in again.content.decode()
    assert Recommendation.objects.filter(state=RecommendationState.APPROVED).count() == 2
    assert client.post(reverse("recommendations:bulk"), {"chosen": chosen, "act": "carry_out"}).status_code == 404
    mine = reverse("recommendations:queue") + f"?patient={rows['screening'].patient_id}&tab=approved"
    assert client.get(mine).content.count(b'class="queue-row') == 2
    nobody = reverse("recommendations:queue") + "?patient=00000000-0000-0000-0000-000000000000"
    assert client.get(nobody).status_code == 404
    rubbish = {"chosen": ["x", "1:2", f"{chosen[0]}:3"], "act": "approve"}
    assert "Nothing is selected" in client.post(reverse("recommendations:bulk"), rubbish, follow=True).content.decode()


def test_one_recommendation_from_words_to_release(rows: dict[str, Recommendation], doctor: User) -> None:
    client, row = browser_of(doctor), rows["screening"]
    url, act = reverse("recommendations:detail", args=[row.pk]), reverse("recommendations:act", args=[row.pk])
    assert "Too few patients have responded" in client.get(url).content.decode()
    hard = {
        "act": "edit", "revision": 1, "patient_text_en": "Necessitating individualised anticoagulation considerations.",
        "what_to_do_en": "Call us.",
    }  # fmt: skip
    refused = client.post(act, hard)
    assert refused.status_code == 422 and "Necessitating" in refused.content.decode()
    client.post(act, {**hard, "patient_text_en": "We would like to see you."})
    row.refresh_from_db()
    assert row.edited and row.revision == 2
    assert (
        "Someone else has decided" in client.post(act, {"act": "release", "revision": 1}, follow=True).content.decode()
    )
    client.post(act, {"act": "release", "revision": 2})
    row.refresh_from_db()
    assert row.state == RecommendationState.RELEASED
    assert client.post(act, {"act": "explode", "revision": 3}).status_code == 404
    assert client.post(act, {"act": "release"}).status_code == 404
    assert AuditEntry.objects.filter(action="recommendation.opened", actor=doctor).exists()


def test_a_patients_page_shows_what_is_held_back_and_follows_the_worker(
    patient: Patient, case: Case, doctor: User
) -> None:
    problem(case, "Z34.90", doctor)
    answered(patient)
    client, url = browser_of(doctor), reverse("recommendations:patient", args=[patient.pk])
    body = client.get(url).content.decode()
    assert "Pregnancy" in body and "Z34.90" in body
    client.post(reverse("recommendations:ask", args=[patient.pk]))
    waiting = client.get(url, headers={"HX-Request": "true", "X-Polling": "1"}).content.decode()
    assert "Checking the guidelines" in waiting and "<html" not in waiting
    answered(patient)


def test_an_administrator_keeps_the_catalogue(rows: dict[str, Recommendation], admin_user: User) -> None:
    client = browser_of(admin_user)
    assert "screen-50" in client.get(reverse("recommendations:guidelines")).content.decode()
    words = {
        f"{part}_{language}": "We advise it." for part in ("title", "patient_text", "what_to_do")
        for language in ("en", "zh")
    }  # fmt: skip
    new = {**words, "code": "new-item", "kind": "imaging", "contraindications": "[]", "revision": "0"}
    assert client.post(reverse("recommendations:item-new"), new).status_code == 302
    assert CareItem.objects.get(code="new-item").kind == "imaging"
    page = reverse("recommendations:item", args=["new-item"])
    assert client.get(page).status_code == 200
    bad = client.post(page, {**new, "revision": "1", "contraindications": '[{"condition": "x"}]'})
    assert bad.status_code == 422
    stale = client.post(page, {**new, "revision": "0"})
    assert stale.status_code == 422 and "Someone else changed" in stale.content.decode()
    answer = client.post(reverse("recommendations:item-withdraw", args=["screening"]), {"reason": "x"}, follow=True)
    assert "1 open recommendations were recalled" in answer.content.decode()


def test_a_rule_is_tried_before_it_counts(admin_user: User) -> None:
    client, url = browser_of(admin_user), reverse("recommendations:rule", args=["screen-50"])
    assert "passes" in client.get(url).content.decode()
    given = {
        "code": "screen-50", "item": "screening", "condition": "age >= 99", "effect": "propose", "urgency": "routine",
        "due_days": "90", "repeat_days": "0", "citation": "x", "url": "", "grade": "", "because": "[]",
        "examples": json.dumps([{"facts": {"age": 60}, "holds": True}, {"facts": {"age": 5}, "holds": False}]),
    }  # fmt: skip
    tried = client.post(url, {**given, "act": "try"})
    assert "fails" in tried.content.decode()
    assert client.post(url, given).status_code == 422
    assert client.post(url, {**given, "condition": "age >="}).status_code == 422
    assert client.post(url, {**given, "examples": "{}"}).status_code == 422
    assert client.post(url, {**given, "condition": "age >= 55"}).status_code == 302
    assert GuidelineRule.objects.get(code="screen-50", active=True).version == 2
    client.post(reverse("recommendations:rule-stop", args=["screen-50"]))
    assert not GuidelineRule.objects.filter(code="screen-50", active=True).exists()
    assert (
        client.post(reverse("recommendations:rule-new"), {**given, "code": "x", "condition": "age > 50"}).status_code
        == 302
    )


def test_a_file_is_looked_at_before_it_is_taken_over(admin_user: User) -> None:
    client = browser_of(admin_user)
    exported = client.get(reverse("recommendations:export")).content
    CareItem.objects.filter(code="vaccine").update(kind="lifestyle")
    file = SimpleUploadedFile("guidelines.json", exported.replace(b'"lifestyle"', b'"vaccination"'))
    url = reverse("recommendations:import")
    preview = client.post(url, {"file": file})
    assert "We advise vaccine" in preview.content.decode()
    assert CareItem.objects.get(code="vaccine").kind == "lifestyle"
    signed = preview.context["signed"]
    assert client.post(url, {"content": signed + "x"}, follow=True).content.decode().count("has expired") == 1
    client.post(url, {"content": signed})
    assert CareItem.objects.get(code="vaccine").kind == "vaccination"
    refused = client.post(url, {"file": SimpleUploadedFile("x.csv", b"a,b\n1,2\n")}, follow=True)
    assert "columns are missing" in refused.content.decode()
    assert "no file was selected" in client.post(url, follow=True).content.decode()

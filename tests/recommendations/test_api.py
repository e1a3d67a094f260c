"""REST, FHIR and CDS Hooks."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.urls import reverse
from fhir.resources.careplan import CarePlan
from fhir.resources.guidanceresponse import GuidanceResponse
from rest_framework.test import APIClient

from apps.accounts.models import AuditEntry, User
from apps.accounts.tokens import make_token
from apps.patients.models import Patient
from apps.recommendations import catalogue, review
from apps.recommendations.models import Recommendation
from apps.records.models import Case, StatementKind
from apps.records.problem_list import add_statement
from tests.recommendations.conftest import ACTOR, answered, item, rule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("guidelines")]


def api_of(user: User, *scopes: str) -> APIClient:
    client = APIClient()
    text = make_token(user, name="x", scopes=list(scopes or ("recommendations:read", "recommendations:write")), days=1)[
        1
    ]
    client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    return client


def test_list_read_and_decide(patient: Patient, doctor: User, nurse: User) -> None:
    row = answered(patient)["screening"]
    client = api_of(doctor)
    listed = client.get(reverse("recommendation-list"), {"state": "proposed", "patient": str(patient.pk)}).json()
    assert {one["item"] for one in listed["results"]} == {"screening", "vaccine"}
    assert client.get(reverse("recommendation-list"), {"state": "x"}).status_code == 400
    assert client.get(reverse("recommendation-list"), {"patient": "x"}).status_code == 400
    one = client.get(reverse("recommendation-detail", args=[row.pk])).json()
    assert one["why"]["grounds"][0]["citation"] == "Guideline of screen-50"
    approved = client.post(reverse("recommendation-approve", args=[row.pk]), {"revision": 1}).json()
    assert (approved["state"], approved["revision"]) == ("approved", 2)
    stale = client.post(reverse("recommendation-release", args=[row.pk]), {"revision": 1})
    assert stale.status_code == 400 and stale.json()["code"] == "recommendation_changed"
    assert client.post(reverse("recommendation-release", args=[row.pk]), {"revision": 2}).json()["state"] == "released"
    assert client.post(reverse("recommendation-reject", args=[row.pk]), {}).status_code == 400
    assert (
        api_of(nurse).post(reverse("recommendation-reject", args=[row.pk]), {"revision": 3, "reason": "x"}).status_code
        == 403
    )
    reader = api_of(doctor, "recommendations:read")
    assert reader.post(reverse("recommendation-approve", args=[row.pk]), {"revision": 3}).status_code == 403


def test_fhir(patient: Patient, doctor: User, stranger: User) -> None:
    row = review.release(answered(patient)["screening"], revision=1, actor=doctor)
    client = api_of(doctor)
    plan = client.get(reverse("recommendation-care-plan"), {"patient": str(patient.pk)}).json()
    CarePlan.model_validate(plan)
    assert [one["code"]["concept"]["text"] for one in plan["contained"]] == ["We advise screening."]
    response = client.get(reverse("recommendation-guidance-response", args=[row.pk])).json()
    GuidanceResponse.model_validate(response)
    assert "Guideline of screen-50" in str(response["reason"])
    assert client.get(reverse("recommendation-care-plan")).status_code == 400
    assert api_of(stranger).get(reverse("recommendation-care-plan"), {"patient": str(patient.pk)}).status_code == 404


def hook(client: APIClient, name: str, **context: Any) -> Any:
    hooks = {
        "medportal-patient": "patient-view",
        "medportal-order": "order-select",
        "medportal-order-sign": "order-sign",
    }
    body = {
        "hook": hooks.get(name, "x"),
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/1", **context},
    }
    return client.post(reverse("cds-service", args=[name]), body, format="json")


def test_patient_view(patient: Patient, doctor: User, stranger: User) -> None:
    services = APIClient().get("/cds-services").json()["services"]
    assert {one["hook"] for one in services} == {"patient-view", "order-select", "order-sign"}
    client = api_of(doctor, "recommendations:read")
    before = hook(client, "medportal-patient", patientId=str(patient.pk)).json()["cards"]
    assert [card["indicator"] for card in before] == ["warning", "info"]
    rows = answered(patient)
    cards = hook(client, "medportal-patient", patientId="MRN-1").json()["cards"]
    assert {card["uuid"] for card in cards} == {str(row.pk) for row in rows.values()}
    for card in cards:
        assert len(card["summary"]) < 140 and card["source"]["label"] and card["links"][0]["url"].startswith("http")
    review.reject(rows["vaccine"], "Had it", revision=1, actor=doctor)
    assert len(hook(client, "medportal-patient", patientId="MRN-1").json()["cards"]) == 1
    assert hook(api_of(stranger), "medportal-patient", patientId=str(patient.pk)).status_code == 404
    assert hook(client, "medportal-patient", patientId="nobody").status_code == 404
    assert hook(client, "nothing", patientId="x").status_code == 404
    assert APIClient().post(reverse("cds-service", args=["medportal-patient"]), {}).status_code == 401
    wrong = {"hook": "order-select", "hookInstance": str(uuid.uuid4()), "context": {}}
    assert client.post(reverse("cds-service", args=["medportal-patient"]), wrong, format="json").status_code == 400


def _draft(name: str) -> dict[str, Any]:
    request = {"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": name}}
    return {"resourceType": "Bundle", "entry": [{"resource": request}]}


def test_order_select(patient: Patient, case: Case, doctor: User) -> None:
    add_statement(case, StatementKind.ALLERGY, text="Penicillin", actor=doctor)
    catalogue.load(
        {"items": [item("stop-ibuprofen", kind="medication", clinicians_only=True)],
         "rules": [rule("no-ibuprofen", "stop-ibuprofen",
         "medications.where($this = 'ibuprofen').exists() and age >= 65",
                        urgency="urgent", examples=[{"facts": {"medications": ["ibuprofen"], "age": 70}, "holds": True},
                                                    {"facts": {"age": 70}, "holds": False}])]},
        actor=ACTOR,
    )  # fmt: skip
    client = api_of(doctor)

    def cards(drafts: Any) -> Any:
        return hook(client, "medportal-order", patientId=str(patient.pk), draftOrders=drafts, selections=[])

    allergic = cards(_draft("Amoxicillin 500 mg")).json()["cards"]
    assert allergic[0]["indicator"] == "critical" and "penicillin" in allergic[0]["summary"].lower()
    ruled = cards(_draft("Ibuprofen 400 mg")).json()["cards"]
    assert ruled[0]["indicator"] == "critical" and "stop-ibuprofen" in ruled[0]["summary"]
    assert cards(_draft("Paracetamol")).json()["cards"] == []
    assert cards({"entry": [None, {"resource": 3}]}).json() == {"cards": []}
    (unknown,) = cards({"entry": [{"resource": {"resourceType": "MedicationRequest"}}]}).json()["cards"]
    assert unknown["indicator"] == "warning" and "not recognised" in unknown["summary"]
    assert cards(None).status_code == 400
    assert not Recommendation.objects.filter(item__code="stop-ibuprofen").exists()


AMOXICILLIN = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "723"}]}


@pytest.mark.parametrize(
    "request_",
    [
        {"medicationCodeableConcept": AMOXICILLIN},
        {"medication": {"concept": AMOXICILLIN}},
        {
            "contained": [{"resourceType": "Medication", "id": "m", "code": AMOXICILLIN}],
            "medicationReference": {"reference": "#m"},
        },
        {"medication": {"reference": {"reference": "Medication/m", "display": "Amoxicillin 500 mg"}}},
    ],
    ids=["R4", "R5", "contained", "reference"],
)
@pytest.mark.parametrize("service", ["medportal-order", "medportal-order-sign"])
def test_an_order_without_text_is_checked_by_its_code(
    service: str, request_: dict[str, Any], patient: Patient, case: Case, doctor: User
) -> None:
    add_statement(case, StatementKind.ALLERGY, text="PCN", actor=doctor)
    drafts = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "MedicationRequest", **request_}}]}
    answer = hook(api_of(doctor), service, patientId=str(patient.pk), draftOrders=drafts).json()
    (card,) = answer["cards"]
    assert card["indicator"] == "critical" and "penicillins" in card["summary"]


def test_drafts_meet_the_medication_and_each_other(patient: Patient, case: Case, doctor: User) -> None:
    add_statement(case, StatementKind.MEDICATION, text="Warfarin 5 mg", actor=doctor)
    names = ("Ibuprofen 400 mg", "Sildenafil 50 mg", "Nitroglycerin SL 0.4 mg", "Zyxomib 40 mg")
    entries = [
        {"resource": {"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": name}}}
        for name in names
    ]
    drafts = {"resourceType": "Bundle", "entry": entries}
    cards = hook(api_of(doctor), "medportal-order", patientId=str(patient.pk), draftOrders=drafts).json()["cards"]
    summaries = [card["summary"] for card in cards]
    assert any("Ibuprofen with Warfarin" in summary for summary in summaries)
    assert any("Nitroglycerin" in summary and "Sildenafil" in summary for summary in summaries)
    assert any("not recognised: Zyxomib" in summary for summary in summaries)
    many = {"resourceType": "Bundle", "entry": entries[3:] * 51}
    cards = hook(api_of(doctor), "medportal-order", patientId=str(patient.pk), draftOrders=many).json()["cards"]
    assert any("1 orders were not checked" in card["summary"] for card in cards)


def test_feedback(patient: Patient, doctor: User) -> None:
    row = answered(patient)["screening"]
    client, url = api_of(doctor), reverse("cds-feedback", args=["medportal-patient"])
    said = {"card": str(row.pk), "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:00:00Z",
            "overrideReason": {"userComment": "Done elsewhere"}}  # fmt: skip
    unknown = {**said, "card": str(uuid.uuid4())}
    assert client.post(url, {"feedback": [said, unknown]}, format="json").status_code == 200
    step = row.steps.get(act="cds")
    assert step.said["outcome"] == "overridden" and step.reason == "Done elsewhere"
    assert AuditEntry.objects.filter(action="recommendation.feedback").count() == 1
    assert client.post(url, {"feedback": []}, format="json").status_code == 400

"""The way from proposal to patient: who may, in which order, one at a time, and what two at once come to."""

from __future__ import annotations

import pytest

from apps.accounts.models import Notice, User
from apps.jobs.errors import UserError
from apps.patients.consent import record_consent
from apps.patients.models import ConsentState, Patient, Purpose
from apps.recommendations import catalogue, engine, patient_response, review
from apps.recommendations.access import can, visible_to
from apps.recommendations.models import Recommendation, RecommendationState
from apps.recommendations.queries import others
from tests.recommendations.conftest import ACTOR, answered, item, problem, rule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("guidelines")]


@pytest.fixture
def row(patient: Patient) -> Recommendation:
    return answered(patient)["screening"]


def refusal(act: object, *args: object, **kwargs: object) -> str:
    with pytest.raises(UserError) as refused:
        act(*args, **kwargs)  # type: ignore[operator]
    return refused.value.code


def test_the_whole_way(row: Recommendation, doctor: User, patient_user: User) -> None:
    assert not visible_to(patient_user).exists()
    approved = review.approve(row, revision=1, actor=doctor)
    assert approved.state == RecommendationState.APPROVED and not visible_to(patient_user).exists()
    released = review.release(approved, revision=approved.revision, actor=doctor)
    assert visible_to(patient_user).get().pk == row.pk
    assert Notice.objects.filter(user=patient_user, code="recommendation_told").count() == 1
    patient_response.see(released, actor=patient_user)
    patient_response.see(released, actor=patient_user)
    assert patient_response.answer(released, "accepted", actor=patient_user) is True
    assert patient_response.answer(released, "accepted", actor=patient_user) is False  # a double click
    assert patient_response.answer(released, "done", actor=patient_user) is True
    assert patient_response.rate(released, True, actor=patient_user) and not patient_response.rate(
        released, True, actor=patient_user
    )
    assert [step.act for step in row.steps.all()] == [
        "proposed", "approved", "released", "seen", "accepted", "done", "helpful",
    ]  # fmt: skip
    assert [act.act for act in engine.history_of(row.patient)] == ["accepted", "done", "helpful"]
    assert (
        refusal(patient_response.answer, released, "declined", actor=patient_user, reason="x")
        == "recommendation_closed"
    )


def test_what_the_patient_reads_stays_what_was_approved(row: Recommendation, doctor: User, admin_user: User) -> None:
    words = {"patient_text": {"en": "Your own words.", "zh-hans": ""}, "what_to_do": {"en": "Call me.", "zh-hans": ""}}
    edited = review.edit(row, words, revision=1, actor=doctor)
    released = review.release(edited, revision=edited.revision, actor=doctor)
    now = catalogue.save_item(
        item("screening", patient_text={"en": "New words.", "zh-hans": "新"}), revision=1, actor=admin_user
    )
    released.item = now
    assert released.patient_text == "Your own words." and released.title == "We advise screening."


def test_hard_words_are_refused_and_nothing_is_lost(row: Recommendation, doctor: User) -> None:
    hard = "Pharmacological prophylaxis necessitates individualised anticoagulation considerations."
    words = {"patient_text": {"en": hard}, "what_to_do": {"en": "Call."}}
    assert refusal(review.edit, row, words, revision=1, actor=doctor) == "recommendation_hard"
    empty = {"patient_text": {"en": " "}, "what_to_do": {"en": "Call."}}
    assert refusal(review.edit, row, empty, revision=1, actor=doctor) == "recommendation_words"


def test_of_two_clinicians_one_decides(row: Recommendation, doctor: User, radiologist: User) -> None:
    review.approve(row, revision=1, actor=doctor)
    assert refusal(review.reject, row, "no", revision=1, actor=radiologist) == "recommendation_changed"
    assert refusal(review.approve, row, revision=1, actor=doctor) == "recommendation_changed"
    row.refresh_from_db()
    assert row.state == RecommendationState.APPROVED


def test_who_may(row: Recommendation, nurse: User, stranger: User, patient_user: User, admin_user: User) -> None:
    for actor in (nurse, stranger, patient_user, admin_user):
        with pytest.raises(PermissionError):
            review.approve(row, revision=1, actor=actor)
    for actor in (nurse, stranger, patient_user, admin_user):
        seen = visible_to(actor).filter(pk=row.pk).exists()
        assert seen == can(actor, "recommendations.view_recommendation", row) == (actor is nurse)
    with pytest.raises(PermissionError):
        patient_response.answer(row, "accepted", actor=patient_user)  # not released


def test_a_rejection_needs_a_reason(row: Recommendation, doctor: User) -> None:
    assert refusal(review.reject, row, "  ", revision=1, actor=doctor) == "recommendation_reason"
    rejected = review.reject(row, "Had it last week", revision=1, actor=doctor)
    assert (
        rejected.state == RecommendationState.REJECTED
        and rejected.steps.get(act="rejected").reason == "Had it last week"
    )


def test_treatment_never_reaches_a_patient(patient: Patient, case: object, doctor: User, patient_user: User) -> None:
    problem(case, "J18.9", doctor)  # type: ignore[arg-type]
    row = answered(patient)["treatment"]
    assert refusal(review.release, row, revision=1, actor=doctor) == "recommendation_clinicians"
    Recommendation.objects.filter(pk=row.pk).update(released_at=row.proposed_at)  # even if somebody forced it
    assert not visible_to(patient_user).filter(pk=row.pk).exists()
    assert review.mark_done(row, revision=1, actor=doctor).state == RecommendationState.DONE


def test_nothing_is_released_to_a_closed_page(row: Recommendation, doctor: User, patient: Patient) -> None:
    record_consent(patient, Purpose.PORTAL, ConsentState.WITHDRAWN, actor=doctor)
    assert refusal(review.release, row, revision=1, actor=doctor) == "release_portal"


def test_patients_are_not_nagged(patient: Patient, doctor: User, settings: object) -> None:
    settings.MAX_SHOWN_RECOMMENDATIONS = 1  # type: ignore[attr-defined]
    catalogue.load({"items": [item("third")], "rules": [rule("third-50", "third", "age >= 50")]}, actor=ACTOR)
    rows = answered(patient)
    review.release(rows["screening"], revision=1, actor=doctor)
    assert refusal(review.release, rows["third"], revision=1, actor=doctor) == "recommendation_nagging"
    review.release(rows["vaccine"], revision=1, actor=doctor)  # what is pressing is not held back


def test_many_at_once(patient: Patient, case: object, doctor: User) -> None:
    problem(case, "J18.9", doctor)  # type: ignore[arg-type]
    rows = answered(patient)
    outcome = review.bulk_decide([(str(row.pk), 1) for row in rows.values()], "release", actor=doctor)
    assert outcome.done == 2 and [title for title, _why in outcome.refused] == ["We advise treatment."]
    with pytest.raises(ValueError, match="not a bulk action"):
        review.bulk_decide([], "carry_out", actor=doctor)


def test_taking_back_needs_a_reason_and_tells_the_patient(
    row: Recommendation, doctor: User, patient_user: User
) -> None:
    released = review.release(row, revision=1, actor=doctor)
    assert refusal(review.recall, released, "", revision=released.revision, actor=doctor) == "recommendation_reason"
    review.recall(released, "Wrong patient", revision=released.revision, actor=doctor)
    assert Notice.objects.filter(user=patient_user, code="recommendation_recalled").exists()
    assert refusal(patient_response.answer, released, "accepted", actor=patient_user) == "recommendation_closed"


def test_declining_needs_a_reason_and_tells_the_team(row: Recommendation, doctor: User, patient_user: User) -> None:
    released = review.release(row, revision=1, actor=doctor)
    assert refusal(patient_response.answer, released, "declined", actor=patient_user) == "recommendation_reason"
    patient_response.answer(released, "declined", actor=patient_user, reason="Afraid of needles")
    assert Notice.objects.filter(user=doctor, code="recommendation_answered").exists()


def test_what_others_did_is_told_of_five_or_more(row: Recommendation) -> None:
    assert others(row.item).taken_up is None

"""What a patient sees of an explanation: nothing, until a physician released it."""

from __future__ import annotations

import io

import pytest
from django.urls import reverse
from PIL import Image

from apps.accounts.models import CareTeam, User
from apps.contact.models import PatientRelease
from apps.explainability import jobs
from apps.explainability.explanation_release import (
    draft,
    find_released,
    release_explanation,
    released_explanations,
    withdraw_explanation,
)
from apps.explainability.models import Explanation
from apps.inference.jobs import analyse
from apps.jobs.errors import UserError
from apps.patients.consent import record_consent
from apps.patients.models import ConsentState, Purpose
from apps.patients.portal_account import link_account
from tests.factories import arrive, browser_of, film_file

SENTENCE = "There is an inflammation in your left lung."


@pytest.fixture
def explanation(packages: None, team: CareTeam, patient_user: User, admin_user: User) -> Explanation:
    done = arrive(film_file(3, pattern="focal", size=448), team)
    analyse(str(done.pk))
    link_account(done.series.study.patient, patient_user, actor=admin_user)
    return Explanation.objects.get(finding__label="pneumonia")


@pytest.fixture
def checked(explanation: Explanation) -> Explanation:
    jobs.explain(str(explanation.pk))
    explanation.refresh_from_db()
    return explanation


def home_of(patient: User) -> str:
    return browser_of(patient).get(reverse("portal:patient-results")).content.decode()


def test_nothing_is_seen_before_a_physician_released_it(checked: Explanation, patient_user: User, nurse: User) -> None:
    assert "Nothing has been released" in home_of(patient_user)
    for name in ("explainability:detail", "explanation-detail", "explanation-film", "explanation-overlay"):
        assert browser_of(patient_user).get(reverse(name, args=[checked.pk])).status_code == 404, name
    with pytest.raises(PermissionError):
        release_explanation(checked, SENTENCE, actor=nurse)
    with pytest.raises(PermissionError):
        release_explanation(checked, SENTENCE, actor=patient_user)


def test_the_patient_sees_sentence_and_picture_until_they_are_taken_back(
    checked: Explanation, doctor: User, patient_user: User, stranger: User
) -> None:
    page = browser_of(doctor).get(reverse("explainability:detail", args=[checked.pk])).content.decode()
    assert "The patient sees nothing until you release it" in page
    assert "signs of: Pneumonia" in draft(checked) and "lung" in draft(checked)
    browser_of(doctor).post(reverse("explainability:tell", args=[checked.pk]), {"sentence": SENTENCE})
    told = PatientRelease.objects.get()
    assert SENTENCE in home_of(patient_user) and "Decision support by cxr-pneumonia 1.1.1" in home_of(patient_user)
    picture = reverse("explainability:told-picture", args=[told.pk])
    image = Image.open(io.BytesIO(browser_of(patient_user).get(picture).content))
    assert image.mode == "RGB" and image.size == (448, 448)
    assert browser_of(stranger).get(picture).status_code == 404
    assert browser_of(patient_user).get(reverse("explainability:detail", args=[checked.pk])).status_code == 404
    assert browser_of(stranger).post(reverse("explainability:withdraw", args=[told.pk])).status_code == 404
    browser_of(doctor).post(reverse("explainability:withdraw", args=[told.pk]))
    assert "Nothing has been released" in home_of(patient_user)
    assert browser_of(patient_user).get(picture).status_code == 404


def test_telling_again_replaces_and_withdrawn_consent_hides(
    checked: Explanation, doctor: User, patient_user: User
) -> None:
    release_explanation(checked, "First words.", actor=doctor)
    release_explanation(checked, "Better words.", actor=doctor)
    assert "Better words." in home_of(patient_user) and "First words." not in home_of(patient_user)
    patient = checked.finding.analysis.series.study.patient
    record_consent(patient, Purpose.AI, ConsentState.WITHDRAWN, actor=doctor)
    assert "Better words." not in home_of(patient_user)
    assert not released_explanations(patient_user)


def test_what_is_unchecked_weak_or_empty_is_told_to_nobody(explanation: Explanation, doctor: User) -> None:
    with pytest.raises(UserError, match="not been checked"):
        release_explanation(explanation, SENTENCE, actor=doctor)
    jobs.explain(str(explanation.pk))
    explanation.refresh_from_db()
    with pytest.raises(UserError, match="plain language"):
        release_explanation(explanation, "  ", actor=doctor)
    explanation.quality = {**explanation.quality, "weaknesses": ["random"]}
    explanation.save(update_fields=["quality"])
    with pytest.raises(UserError, match="mislead"):
        release_explanation(explanation, SENTENCE, actor=doctor)
    url = reverse("explainability:tell", args=[explanation.pk])
    answer = browser_of(doctor).post(url, {"sentence": SENTENCE}, follow=True)
    assert "mislead" in answer.content.decode() and not PatientRelease.objects.exists()


def test_taking_back_twice_changes_nothing(checked: Explanation, doctor: User, nurse: User) -> None:
    told = release_explanation(checked, SENTENCE, actor=doctor)
    released = find_released(doctor, told.pk)
    assert released is not None
    with pytest.raises(PermissionError):
        withdraw_explanation(released, actor=nurse)
    assert withdraw_explanation(released, actor=doctor)
    told.refresh_from_db()
    first = told.withdrawn_at
    assert first is not None and told.withdrawn_by == doctor
    assert not withdraw_explanation(released, actor=doctor)
    told.refresh_from_db()
    assert told.withdrawn_at == first

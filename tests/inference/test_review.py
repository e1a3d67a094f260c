from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import AuditEntry, CareTeam, User
from apps.inference.jobs import analyse
from apps.inference.models import Finding, Review, Verdict
from apps.inference.review import review
from tests.factories import arrive, film_file


@pytest.fixture
def finding(packages: None, team: CareTeam) -> Finding:
    analysis = arrive(film_file(3, pattern="focal", size=448), team)
    analyse(str(analysis.pk))
    return analysis.findings.get(label="pneumonia")


def test_a_verdict_is_stored_with_who_and_when(finding: Finding, doctor: User) -> None:
    said = review(finding, Verdict.AGREE, comment="clear", actor=doctor)
    assert (said.reviewer, said.comment) == (doctor, "clear")
    assert said.at is not None
    assert AuditEntry.objects.filter(action="finding.reviewed", actor=doctor).exists()


def test_a_double_click_stores_one_and_a_change_of_mind_two(finding: Finding, doctor: User) -> None:
    for verdict in (Verdict.AGREE, Verdict.AGREE, Verdict.DISAGREE):
        review(finding, verdict, actor=doctor)
    assert [row.verdict for row in finding.reviews.all()] == ["disagree", "agree"]


def test_a_correction_names_a_label(finding: Finding, doctor: User) -> None:
    for wrong in ("", "nonsense"):
        with pytest.raises(ValueError):
            review(finding, Verdict.CORRECT, correction=wrong, actor=doctor)
    said = review(finding, Verdict.CORRECT, correction="normal", actor=doctor)
    assert said.correction_title == "No pneumonia"


def test_strangers_have_no_word(finding: Finding, stranger: User, admin_user: User, patient_user: User) -> None:
    for other in (stranger, admin_user, patient_user):
        with pytest.raises(PermissionError):
            review(finding, Verdict.AGREE, actor=other)
    assert not Review.objects.exists()


def test_the_page_stores_and_shows_it(finding: Finding, browser_client: Client) -> None:
    url = reverse("portal:review", args=[finding.pk])
    answer = browser_client.post(url, {"verdict": "correct", "correction": "normal"}, headers={"HX-Request": "true"})
    assert "No pneumonia" in answer.content.decode()
    bad = browser_client.post(url, {"verdict": "correct"}, headers={"HX-Request": "true"})
    assert bad.status_code == 422
    assert "Choose the correct finding" in bad.content.decode()

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import CareTeam, User
from apps.imaging.models import Decision, Instance, QuarantinedFile
from apps.imaging.quarantine_decision import decide
from apps.protection import blobs
from tests.factories import film_file, take_in


@pytest.fixture
def held(team: CareTeam) -> QuarantinedFile:
    take_in(film_file(1), team)
    take_in(film_file(2, name="Somebody^Else"), team)
    return QuarantinedFile.objects.get()


def test_the_same_patient_files_it_under_the_record(held: QuarantinedFile, doctor: User) -> None:
    received = decide(held, Decision.SAME, actor=doctor)
    assert received and received.instance
    assert received.instance.series.study.patient == held.patient
    assert not blobs.exists(held.blob)


def test_another_patient_discards_it(held: QuarantinedFile, doctor: User) -> None:
    assert decide(held, Decision.OTHER, actor=doctor) is None
    assert Instance.objects.count() == 1
    assert not blobs.exists(held.blob)


def test_the_second_decision_changes_nothing(held: QuarantinedFile, doctor: User) -> None:
    decide(held, Decision.SAME, actor=doctor)
    assert decide(held, Decision.OTHER, actor=doctor) is None
    held.refresh_from_db()
    assert (held.decision, Instance.objects.count()) == (Decision.SAME, 2)


def test_only_the_care_team_decides(held: QuarantinedFile, stranger: User, admin_user: User) -> None:
    for other in (stranger, admin_user):
        with pytest.raises(PermissionError):
            decide(held, Decision.SAME, actor=other)


def test_the_page_compares_and_decides(held: QuarantinedFile, browser_client: Client) -> None:
    url = reverse("imaging:held-file", args=[held.pk])
    page = browser_client.get(url).content.decode()
    assert "Åsa Lindqvist" in page and "Else Somebody" in page
    assert browser_client.post(url, {}).status_code == 200
    answer = browser_client.post(url, {"decision": "same"})
    assert answer.status_code == 302 and answer.url.startswith("/studies/")
    assert "has already decided" in browser_client.get(url).content.decode()
